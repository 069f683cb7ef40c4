"""What was said in this call, as the language model shall remember it: only what was heard counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Exchange:
    """The caller's words and reply `n` to them. A greeting has no words."""

    n: int
    words: str
    reply: str = ""
    cut: bool = False
    """True: the reply was interrupted, `reply` is what was heard of it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The exchanges so far, oldest first, at most `limit` of them, and at most `max_chars` in all but the last."""

    exchanges: tuple[Exchange, ...] = ()
    limit: int = 50
    max_chars: int = 65_536

    def said(self, n: int, words: str) -> "Conversation":
        """The caller's turn that reply `n` answers."""
        kept = self.exchanges[-(self.limit - 1) :] if self.limit > 1 else ()
        chars = sum(len(entry.words) + len(entry.reply) for entry in kept)
        while kept and chars > self.max_chars:
            chars -= len(kept[0].words) + len(kept[0].reply)
            kept = kept[1:]
        return replace(self, exchanges=(*kept, Exchange(n, words)))

    def retracted(self, n: int) -> "Conversation":
        """Nobody heard reply `n`; its words come again with the next one."""
        return replace(self, exchanges=tuple(entry for entry in self.exchanges if entry.n != n))

    def replied(self, n: int, text: str) -> "Conversation":
        """Reply `n` so far."""
        return self._changed(n, text, cut=False)

    def truncated(self, n: int, heard: str) -> "Conversation":
        """Reply `n` was interrupted; `heard` is what the caller heard of it."""
        return self._changed(n, heard, cut=True)

    def _changed(self, n: int, reply: str, *, cut: bool) -> "Conversation":
        return replace(
            self,
            exchanges=tuple(
                replace(entry, reply=reply, cut=cut) if entry.n == n else entry for entry in self.exchanges
            ),
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the chat wire: role "system", "user" or "assistant"."""

    role: str
    content: str


CALL_BEGINS = Message("user", "(The caller is on the line.)")
"""Stands before a greeting: many chat templates (Gemma, Mistral) refuse a chat that the assistant begins. What the
agent said stays an assistant message, so the model knows it for its own words; a note of the user before it is what
others send, too (LiveKit's for Gemini and Anthropic, Ultravox). It names no event, so it is as true before an idle
prompt that begins a history cut at its limit."""


def messages(system_prompt: str, conversation: Conversation) -> Sequence[Message]:
    """The chat that the language model is shown: perhaps a system message, then user and assistant in turn, the user
    first, because chat templates want it so. Turns nobody answered are joined with the one after, and so are replies
    that no turn parts."""
    chat: list[Message] = []
    for entry in conversation.exchanges:
        for message in (Message("user", entry.words.strip()), Message("assistant", entry.reply.strip())):
            if message.content and chat and chat[-1].role == message.role:
                chat[-1] = Message(message.role, f"{chat[-1].content}\n{message.content}")
            elif message.content:
                chat.append(message)
    begun = [CALL_BEGINS] if chat and chat[0].role == "assistant" else []
    prompt = [Message("system", system_prompt)] if system_prompt.strip() else []
    return [*prompt, *begun, *chat]
