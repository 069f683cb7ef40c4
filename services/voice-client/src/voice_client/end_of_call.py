"""When is a recorded caller's call over?

Not when the first reply ended: the file may hold several utterances, the recogniser may be behind, and a reply may
be retracted when more words come. The call is over when everything that was heard is accounted for,

    no speech is open · every final belongs to an ended turn · the last ended turn was answered · nothing plays

and then nothing came during some silence, counted in samples sent after the last event (`quiet_needed_s`). The
recogniser's lag is added, because in that time it still hears the past. Speech that led to no words yet (noise, or a
slow recogniser) asks for a longer silence. As long as the answer is None only the caller's own patience ends the call.

Pure: events in, seconds of silence out.
"""

from voice_client.events import Error, Event, Latency, Transcript, Turn, TurnEvent

SETTLED_S = 1.5
"""Longer than any endpointing silence a gateway allows for settled words by default."""
UNSETTLED_S = 10.0
"""For speech without words, words without a turn, and turns whose reply failed."""


class EndOfCallDetector:  # size: a field for each thing that may still come
    """What is still open in a call. `typed`: the turn was typed, so a reply is due from the beginning."""

    def __init__(self, *, typed: bool = False) -> None:
        # Nothing more can come of typed words once they are answered.
        self._settled_s = 0.0 if typed else SETTLED_S
        self._speaking = False
        self._speech_without_turn = False
        self._partial = 0
        self._final_turn = 0
        self._ended_turn = 0
        self._was_turn = typed
        self._reply_due = typed
        self._replies: set[int] = set()
        self._failed = False
        self._lag_s = 0.0

    def observe(self, event: Event) -> None:
        """Learns from an event of the call."""
        match event:
            case Transcript(final=True):
                self._partial = 0 if event.utterance >= self._partial else self._partial
                self._final_turn = max(self._final_turn, event.turn) if event.text else self._final_turn
            case Transcript():
                self._partial = max(self._partial, event.utterance)
            case Latency(asr_lag=float(lag_s)):
                self._lag_s = max(0.0, lag_s)
            case Error():
                self._failed = True
            case TurnEvent():
                self._floor(event)
            case _:
                pass

    @property
    def quiet_needed_s(self) -> float | None:
        """How much silence ends the call, nothing being played; None: something is still to come."""
        if self._speaking or self._replies or not self._was_turn:
            return None
        if self._reply_due:
            return UNSETTLED_S if self._failed else None
        if self._speech_without_turn or self._partial or self._final_turn > self._ended_turn:
            return UNSETTLED_S + self._lag_s
        return self._settled_s + self._lag_s

    def _floor(self, event: TurnEvent) -> None:
        match event.kind:
            case Turn.SPEECH_STARTED:
                self._speaking = True
            case Turn.SPEECH_STOPPED:
                self._speaking, self._speech_without_turn = False, True
            case Turn.TURN_ENDED:
                self._was_turn = self._reply_due = True
                self._ended_turn = max(self._ended_turn, event.turn)
                # A turn ended over open speech (push-to-talk, longest turn) says nothing about that speech.
                self._speech_without_turn, self._failed, self._partial = False, False, 0
            case Turn.REPLY_STARTED:
                self._replies.add(event.reply)
            case Turn.REPLY_RETRACTED:
                self._replies.discard(event.reply)
            case Turn.REPLY_ENDED | Turn.REPLY_INTERRUPTED:
                self._replies.discard(event.reply)
                self._reply_due = False
            case _:
                pass
