"""Which messages must be sent again after a drop, and which were already received?

Both directions count from 1 over the life of a call. Pure: no clock, no stream.
"""

from collections import deque
from enum import Enum

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.errors import CallFailed

OUTBOX_MESSAGES = 3000
"""One minute of 20 ms frames: as long as the default reconnect deadline, about 2 MiB at 16 kHz."""


class Outbox:
    """Client messages from the moment they are numbered until the gateway has taken them in.

    When it is full the oldest audio loses its samples but keeps its number, so the gateway sees a gap in the
    audio (which the contract fills with silence) and none in the numbering. Other messages are never dropped;
    a box full of them ends the call.
    """

    def __init__(self, capacity: int = OUTBOX_MESSAGES) -> None:
        self._capacity = capacity
        self._queue: deque[pb.ClientMessage] = deque()
        self._numbered = 0
        self._written = 0
        self._acknowledged = 0
        self._emptied = 0
        self.keeps_written = True
        """False where the gateway can't resume: a written message is then forgotten at once."""

    def skip_number(self) -> int:
        """Takes the next number for a message that is never sent again (SessionStart)."""
        self._numbered += 1
        self._written = max(self._written, self._numbered)
        return self._numbered

    def add(self, message: pb.ClientMessage) -> None:
        """Numbers `message` and queues it. Raises CallFailed when the box is full of what must not be dropped."""
        self._numbered += 1
        message.seq = self._numbered
        self._queue.append(message)
        if len(self._queue) - self._emptied > self._capacity:
            self._empty_oldest_audio()

    def next_unwritten(self) -> pb.ClientMessage | None:
        """The next message for the stream, or None. It counts as written from now on."""
        index = self._written - self._first() + 1
        if not self._queue or index >= len(self._queue):
            return None
        message = self._queue[max(index, 0)]
        self._written = message.seq
        if not self.keeps_written:
            self.acknowledge(message.seq)
        return message

    def acknowledge(self, seq: int) -> None:
        """The gateway has taken in everything up to `seq`."""
        self._acknowledged = max(self._acknowledged, min(seq, self._numbered))
        while self._queue and self._queue[0].seq <= self._acknowledged:
            if _is_emptied(self._queue.popleft()):
                self._emptied -= 1

    def rewind(self) -> None:
        """A new stream begins: everything not acknowledged is written again."""
        self._written = self._acknowledged

    @property
    def is_waiting(self) -> bool:
        """Something was written that the gateway has not acknowledged."""
        return self._written > self._acknowledged

    @property
    def unacknowledged(self) -> int:
        """Messages in the box, written or not."""
        return len(self._queue)

    def _first(self) -> int:
        return self._queue[0].seq if self._queue else self._numbered + 1

    def _empty_oldest_audio(self) -> None:
        for message in self._queue:
            if message.WhichOneof("message") == "audio" and not _is_emptied(message):
                message.audio.ClearField("data")
                self._emptied += 1
                return
        raise CallFailed(
            f"{self._capacity} messages wait for the gateway and none is audio; send less or wait for it to answer"
        )


def _is_emptied(message: pb.ClientMessage) -> bool:
    return message.WhichOneof("message") == "audio" and not message.audio.data


class Arrival(Enum):
    """What a number says about a message."""

    NEW = "new"
    REPEATED = "repeated"
    GAP = "gap"
    """Something before it was lost: resume from the last acknowledged message."""


class Inbox:
    """Server messages seen so far: what to acknowledge, what to drop as a repetition.

    SessionStarted comes first on a resumed stream whatever its number is, so numbers may come early.
    """

    def __init__(self) -> None:
        self.ack = 0
        """Highest number received without a gap."""
        self._early: set[int] = set()

    def classify(self, seq: int, *, opens_stream: bool = False) -> Arrival:
        """Takes `seq` in, unless something before it is missing. 0 (not numbered) is always new."""
        if seq == 0:
            return Arrival.NEW
        if seq <= self.ack or seq in self._early:
            return Arrival.REPEATED
        if seq != self.ack + 1 and not opens_stream:
            return Arrival.GAP
        self._early.add(seq)
        while self.ack + 1 in self._early:
            self.ack += 1
            self._early.remove(self.ack)
        return Arrival.NEW
