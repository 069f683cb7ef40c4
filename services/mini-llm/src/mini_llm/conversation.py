"""What has been said so far?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

MEMORY_MESSAGES = 200
"""How far back the agent remembers."""

NOTED = re.compile(r"^Caller: (.*\S)", re.MULTILINE)
"""What a caller said, in the notes of a long call (`summary`)."""

_AGENT_NAME = re.compile(r"(?:[Yy]our name is|[Yy]ou are called|[Yy]ou are|[Cc]alled|named)\s+([A-Z][a-z]+)\b")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: role "user" or "assistant"."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """The system prompt, and the messages, oldest first."""

    system: str
    messages: tuple[Message, ...]

    @property
    def last_user_text(self) -> str:
        """What the caller said last, "" when nothing yet."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def user_texts(self) -> tuple[str, ...]:
        """Everything the caller said, oldest first."""
        return tuple(message.text for message in self.messages if message.role == "user")

    @property
    def last_user_index(self) -> int:
        """Position of the caller's last message, -1 when there is none."""
        indices = [index for index, message in enumerate(self.messages) if message.role == "user"]
        return indices[-1] if indices else -1

    def before(self, index: int) -> "Conversation":
        """The conversation as it was when the message at `index` was to come."""
        return replace(self, messages=self.messages[:index])

    def agent_name(self, default: str) -> str:
        """The name the system prompt gives the agent."""
        found = _AGENT_NAME.search(self.system)
        return found[1] if found else default


def conversation(messages: Sequence[tuple[str, str]]) -> Conversation:
    """From (role, text) pairs: system and developer texts make the system prompt, tool results are not spoken of. What
    the system prompt notes of an earlier part of the call was said before the messages."""
    system = "\n".join(text for role, text in messages if role in ("system", "developer"))
    noted = [Message("user", words) for words in NOTED.findall(system)]
    spoken = [Message(role, text) for role, text in messages if role in ("user", "assistant") and text.strip()]
    return Conversation(NOTED.sub("", system), tuple([*noted, *spoken][-MEMORY_MESSAGES:]))
