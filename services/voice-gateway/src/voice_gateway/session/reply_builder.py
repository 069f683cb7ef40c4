"""Of what is a reply built? The model's answer, tools included, or a text known beforehand; a voice; an account."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from voice_gateway.core.conversation import Conversation, Message, ended_by_user, messages
from voice_gateway.core.events import CallOptions
from voice_gateway.core.playout import Playout
from voice_gateway.core.speakable.thought_filter import Opening
from voice_gateway.core.speech_types import SynthesisOptions
from voice_gateway.core.tools import ToolCall, ToolChoice
from voice_gateway.reply.fitted_model import FittedModel
from voice_gateway.reply.no_voice import NO_VOICE
from voice_gateway.reply.reply import Reply, ReplyListener, SpeechSetup
from voice_gateway.reply.rounds import AnswerWithTools
from voice_gateway.reply.source import Source, fixed
from voice_gateway.session.call_tools import CallTools
from voice_gateway.session.reply_setup import ReplySetup


class ReplyBuilder:
    """One call's. It learns how the model's answers begin."""

    def __init__(self, setup: ReplySetup, model: FittedModel, tools: CallTools, clock: Callable[[], float]) -> None:
        self._setup = setup
        self._model = model
        self._tools = tools
        self._clock = clock
        self._speakable = setup.speakable

    def answer(self, n: int, conversation: Conversation, options: CallOptions, listener: ReplyListener) -> Reply:
        """Reply `n`: what the model says to the conversation."""
        chat = ended_by_user(messages(options.system_prompt, conversation))
        return self._reply(n, self._source(n, chat, options), False, options, listener)

    def fixed(self, n: int, text: str, options: CallOptions, listener: ReplyListener) -> Reply:
        """Reply `n`, of a known text."""
        return self._reply(n, fixed(text), True, options, listener)

    def learn(self, reply: Reply) -> None:
        """A model that begins in a thought that no tag opens will do so again: the next reply is held until it is told
        from the answer."""
        if reply.began_in_thought and self._speakable.opening is Opening.ANSWER:
            self._speakable = replace(self._speakable, opening=Opening.PERHAPS_THOUGHT)
        elif reply.held_needlessly:
            self._speakable = self._setup.speakable

    def _reply(self, n: int, source: Source, is_fixed: bool, options: CallOptions, listener: ReplyListener) -> Reply:
        setup = self._setup
        speech = SpeechSetup(
            setup.synthesiser if options.speaks else NO_VOICE,
            SynthesisOptions(options.tts_language or options.language, options.voice, options.output_rate_hz),
            setup.ahead_s,
            replace(self._speakable, opening=Opening.ANSWER) if is_fixed else self._speakable,
            setup.language,
        )
        playout = Playout(options.output_rate_hz, setup.lead_s, setup.frame_s)
        return Reply(n, source, speech, playout, listener, self._clock)

    def _source(self, n: int, chat: Sequence[Message], options: CallOptions) -> Source:
        tools, model = self._tools, self._model

        def ask(chat: Sequence[Message], choice: ToolChoice) -> AsyncGenerator[str | ToolCall, None]:
            return model.answer(chat, options.llm, choice)

        rounds = AnswerWithTools(n, ask, tools.offered(options), tools, tools.limits, self._clock, options.tool_use)
        return Source(rounds.pieces(chat), self._setup.apology, rounds)
