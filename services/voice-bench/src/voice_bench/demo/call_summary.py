"""What happened in the call? Every line with what was heard of it, its answer, and where that was cut.

All moments are seconds of the call, on the samples of the recording: what is written here can be seen and heard there.
"""

from dataclasses import dataclass, field

from pcm import samples
from voice_client.events import Error, Event, Latency, ReplyText, Transcript, Turn, TurnEvent
from voice_client.playout import Played

from voice_bench.demo.script import RATE_HZ, Line


@dataclass(slots=True)
class Answer:
    """One reply as the caller heard it; `cut_s`: when the gateway said that it was interrupted."""

    number: int
    text: str = ""
    began_s: float | None = None
    last_s: float | None = None
    cut_s: float | None = None
    heard_text: str = ""
    heard_ms: int = 0

    @property
    def heard_and_unheard(self) -> tuple[str, str]:
        """What was heard and what was not, in the reply's own words; nothing unheard when it was not cut."""
        words = self.text.split()
        if self.cut_s is None:
            return " ".join(words), ""
        # A synthesiser may tell fewer words than it was given ("there was" as one) and none of the punctuation, so
        # they are looked for in order.
        bare = [_normalised(word) for word in words]
        heard = 0
        for word in self.heard_text.split():
            if _normalised(word) in bare[heard:]:
                heard = bare.index(_normalised(word), heard) + 1
        return " ".join(words[:heard]), " ".join(words[heard:])


def _normalised(word: str) -> str:
    return word.strip(".,:;!?\"'").lower()


@dataclass(slots=True)
class Exchange:
    """One line of the caller's, and what came of it."""

    number: int
    line: Line
    began_s: float
    speech_began_s: float | None = None
    speech_ended_s: float | None = None
    """T0: the end of the last frame with speech."""
    finals: list[str] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    latencies: dict[int, Latency] = field(default_factory=dict)

    @property
    def transcript(self) -> str:
        """What was heard of the line."""
        return " ".join(self.finals)

    @property
    def answer(self) -> Answer | None:
        """The reply to it that was heard, the last one when there were several."""
        heard = [answer for answer in self.answers.values() if answer.began_s is not None]
        return heard[-1] if heard else next(iter(self.answers.values()), None)

    @property
    def latency(self) -> Latency | None:
        """What the gateway measured of that reply."""
        return self.latencies.get(self.answer.number) if self.answer else None

    @property
    def voice_to_voice_s(self) -> float | None:
        """Last speech sample spoken to first audible sample heard."""
        if self.answer is None or self.answer.began_s is None or self.speech_ended_s is None:
            return None
        return self.answer.began_s - self.speech_ended_s


@dataclass(slots=True)
class CallSummary:
    """Fills up while the call lasts."""

    exchanges: list[Exchange] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    _audible_answer: Answer | None = None

    def begin_line(self, line: Line, now_s: float) -> None:
        """The caller begins to say it."""
        self.exchanges.append(Exchange(len(self.exchanges) + 1, line, now_s))

    def note_speech(self, frame_s: float, now_s: float) -> None:
        """A frame of speech, `frame_s` long, ended now."""
        exchange = self.exchanges[-1]
        if exchange.speech_began_s is None:
            exchange.speech_began_s = now_s - frame_s
        exchange.speech_ended_s = now_s

    def note_audible(self, played: Played, now_s: float) -> None:
        """The loudspeaker makes these samples sound, the first of them now."""
        for number, at_s in played.audible:
            self._audible_answer = self._answer(number)
            if self._audible_answer is not None:
                self._audible_answer.began_s = at_s
        if played.heard_bytes and self._audible_answer is not None:
            self._audible_answer.last_s = now_s + samples(played.pcm16[: played.heard_bytes]) / RATE_HZ

    def observe(self, event: Event, now_s: float) -> None:
        """The gateway told something."""
        match event:
            case Transcript(final=True) if event.text.strip() and self.exchanges:
                self.exchanges[-1].finals.append(event.text.strip())
            case ReplyText() if answer := self._answer(event.reply):
                answer.text += event.delta
            case Latency():
                self._add_latency(event)
            case Error():
                self.errors.append(event)
            case TurnEvent():
                self._floor(event, now_s)
            case _:
                pass

    def interrupted(self) -> list[tuple[Exchange, Answer]]:
        """Every reply that was cut, with the line it answered."""
        return [(x, a) for x in self.exchanges for a in x.answers.values() if a.cut_s is not None]

    def after(self, exchange: Exchange) -> Exchange | None:
        """The line after this one."""
        return self.exchanges[exchange.number] if exchange.number < len(self.exchanges) else None

    def barge_in_stop_s(self, exchange: Exchange) -> float | None:
        """First speech sample of the next line to the last sample heard of the answer to this one; None = not cut."""
        following, answer = self.after(exchange), exchange.answer
        if following is None or answer is None or answer.cut_s is None:
            return None
        if answer.last_s is None or following.speech_began_s is None:
            return None
        return answer.last_s - following.speech_began_s

    def _floor(self, event: TurnEvent, now_s: float) -> None:
        if event.kind is Turn.REPLY_STARTED and self.exchanges:
            self.exchanges[-1].answers[event.reply] = Answer(event.reply)
        answer = self._answer(event.reply)
        if answer is None:
            return
        if event.kind is Turn.REPLY_ENDED and event.text:
            answer.text = event.text
        elif event.kind is Turn.REPLY_RETRACTED:
            for exchange in self.exchanges:
                exchange.answers.pop(event.reply, None)
        elif event.kind is Turn.REPLY_INTERRUPTED:
            answer.cut_s, answer.heard_text, answer.heard_ms = now_s, event.heard_text, event.heard_ms

    def _add_latency(self, latency: Latency) -> None:
        for exchange in self.exchanges:
            if latency.reply in exchange.answers:
                exchange.latencies[latency.reply] = latency

    def _answer(self, number: int) -> Answer | None:
        return next((x.answers[number] for x in self.exchanges if number in x.answers), None)
