"""What did a caller see and hear of a call? Messages in, with the moment they came; a plain record out."""

from dataclasses import dataclass, field

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.measure.loudspeaker import Loudspeaker

_SAMPLE_BYTES = 2


@dataclass(slots=True)
class ReplyLog:  # size: the record of one reply
    """One reply; moments on the machine's monotonic clock."""

    number: int
    loudspeaker: Loudspeaker
    text: str = ""
    first_audio_at: float | None = None
    last_audio_at: float | None = None
    ended_at: float | None = None
    cut: pb.TurnEvent | None = None
    """REPLY_INTERRUPTED or REPLY_RETRACTED."""
    cut_at: float | None = None
    held: pb.TurnEvent | None = None
    """REPLY_HELD, while it holds."""
    played_at_cut: int = 0
    unplayed_at_cut: int = 0
    reported: bool = False
    """The final playout report was made."""

    @property
    def is_over(self) -> bool:
        """No more audio will come."""
        return self.ended_at is not None or self.cut is not None


@dataclass(slots=True)
class CallLog:  # size: the record of one call
    """One call as its caller knows it."""

    output_rate_hz: int = 16_000
    started_at: float | None = None
    over_at: float | None = None
    heard_at: list[float] = field(default_factory=list)
    """When transcripts came, partials among them."""
    finals: list[tuple[float, str]] = field(default_factory=list)
    turns: list[tuple[float, str]] = field(default_factory=list)
    """When a TURN_ENDED came and its text."""
    replies: dict[int, ReplyLog] = field(default_factory=dict)
    latencies: list[pb.TurnLatency] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    last_seq: int = 0
    audio_bytes: int = 0

    def take(self, message: pb.ServerMessage, at: float) -> None:
        """Learn from one message."""
        if message.seq:
            self.last_seq = message.seq
        match message.WhichOneof("message"):
            case "reply_audio":
                self._sound(message.reply_audio, at)
            case "transcript":
                self.heard_at.append(at)
                if message.transcript.final:
                    self.finals.append((at, message.transcript.text))
            case "reply_text":
                self._reply(message.reply_text.reply).text += message.reply_text.delta
            case "turn":
                self._turn(message.turn, at)
            case "latency":
                self.latencies.append(message.latency)
            case "started":
                self.started_at = at
                self.output_rate_hz = message.started.output.sample_rate_hz
            case "error":
                self.errors.append(f"{pb.Error.Code.Name(message.error.code)}: {message.error.message}")
            case "ended":
                self.over_at = at

    @property
    def latest(self) -> ReplyLog | None:
        """The newest reply."""
        return self.replies[max(self.replies)] if self.replies else None

    def _reply(self, number: int) -> ReplyLog:
        if number not in self.replies:
            self.replies[number] = ReplyLog(number, Loudspeaker(self.output_rate_hz))
        return self.replies[number]

    def _sound(self, audio: pb.ReplyAudio, at: float) -> None:
        reply = self._reply(audio.reply)
        if reply.first_audio_at is None:
            reply.first_audio_at = at
        reply.last_audio_at = at
        self.audio_bytes += len(audio.data)
        if reply.cut is None:
            reply.loudspeaker.take(len(audio.data) // _SAMPLE_BYTES, at)

    def _turn(self, turn: pb.TurnEvent, at: float) -> None:
        match turn.kind:
            case pb.TurnEvent.TURN_ENDED:
                self.turns.append((at, turn.text))
            case pb.TurnEvent.REPLY_ENDED:
                self._reply(turn.reply).ended_at = at
            case pb.TurnEvent.REPLY_HELD:
                self._reply(turn.reply).held = turn
                self._reply(turn.reply).loudspeaker.pause(at)
            case pb.TurnEvent.REPLY_RESUMED:
                self._reply(turn.reply).held = None
                self._reply(turn.reply).loudspeaker.go_on(at)
            case pb.TurnEvent.REPLY_INTERRUPTED | pb.TurnEvent.REPLY_RETRACTED:
                reply = self._reply(turn.reply)
                reply.cut, reply.cut_at = turn, at
                reply.played_at_cut = reply.loudspeaker.played(at)
                reply.unplayed_at_cut = reply.loudspeaker.received - reply.played_at_cut
