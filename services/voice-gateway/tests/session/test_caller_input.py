"""Audio goes to the recogniser with the right hurry; facts and transcripts come out with the right numbers."""

import asyncio
from collections.abc import Callable

import pytest
from voice_gateway.core.events import Failed, Transcribed, TurnChanged, TurnKind
from voice_gateway.core.speech_gate import GatePolicies, GatePolicy
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.core.turn_types import Heard, SpeechStarted, SpeechStopped
from voice_gateway.session.caller_input import CallerInput, CallerInputSettings
from voice_gateway.session.turn_clock import TurnClock

FRAME_S = 0.032
FRAME = bytes(1024)
POLICIES = GatePolicies(GatePolicy(hangover_s=0.25), GatePolicy(hangover_s=0.1))
FINAL_AFTER_S = 0.4


class ScriptedStream:
    """A recogniser's stream that says what the test says."""

    def __init__(self) -> None:
        self.pushed: list[tuple[int, bool]] = []
        self.finished = 0
        self.finished_in_silence = 0
        self.reopened = 0
        self.forgotten = 0
        self.behind_s = 0.0
        self.open_audio = b"open"
        self.says: list[RecognitionResult] = []

    @property
    def received_s(self) -> float:
        return sum(size for size, _ in self.pushed) / 32000

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        self.pushed.append((len(pcm16), urgent))

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        self.finished += 1
        self.finished_in_silence += in_silence

    def close_input(self) -> None:
        """Nothing here ends with its input."""

    def reopen(self, *, elsewhere: bool = False) -> None:
        self.reopened += not elsewhere

    def trim_silence(self) -> None:
        self.forgotten += 1

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        for result in self.says:
            on_result(result)


class Detector:
    """Tells the next probability for each frame."""

    def __init__(self) -> None:
        self.probability = 0.0
        self.closed = False

    def open(self, on_frame: Callable[[float, float, float], None]) -> "Detector":
        self.on_frame = on_frame
        return self

    def push(self, pcm16: bytes, arrived_at: float) -> None:
        self.on_frame(self.probability, arrived_at, FRAME_S)

    def close(self) -> None:
        self.closed = True


class Call:
    """One call's input, in a time the test sets."""

    def __init__(self, *, detects: bool = True) -> None:
        self.now = 100.0
        self.turn = 4
        self.is_replying = False
        self.facts: list[SpeechStarted | SpeechStopped | Heard] = []
        self.told: list[Transcribed | TurnChanged | Failed] = []
        self.recognition = ScriptedStream()
        self.detector = Detector()
        self.paused_at: list[float] = []
        self.stalls: list[bool] = []
        self.lost_at: list[float] = []
        self.overdue_s = 0.0
        self.input = CallerInput(
            self.recognition,
            self.detector if detects else None,
            CallerInputSettings(POLICIES, (FINAL_AFTER_S,), max_lag_s=8.0),
            self,
            self,
            lambda: self.now,
            TurnClock(lambda: self.now),
        )

    def speech_paused(self) -> None:
        self.paused_at.append(self.now)

    def words_lost(self) -> None:
        self.lost_at.append(self.now)

    def link_stalled(self, stalled: bool) -> None:
        self.stalls.append(stalled)

    @property
    def speech(self) -> list[SpeechStarted | SpeechStopped | Heard]:
        """What the detector says."""
        return [fact for fact in self.facts if not isinstance(fact, Heard)]

    def post(self, fact: SpeechStarted | SpeechStopped | Heard) -> None:
        self.facts.append(fact)

    def send(self, event: Transcribed | TurnChanged | Failed) -> None:
        self.told.append(event)

    def frames(self, probability: float, count: int) -> None:
        """So many frames of speech or silence."""
        self.detector.probability = probability
        for _ in range(count):
            self.now += FRAME_S
            self.input.push(FRAME)


def test_speech_becomes_facts_and_events_with_its_samples() -> None:
    call = Call()
    call.frames(0.0, 10)
    call.frames(0.9, 20)
    call.frames(0.0, 10)
    assert call.facts == [SpeechStarted(), SpeechStopped()]
    started, stopped = call.told
    assert isinstance(started, TurnChanged)
    assert isinstance(stopped, TurnChanged)
    assert (started.kind, started.turn, started.sample) == (TurnKind.SPEECH_STARTED, 4, 12 * 512)
    assert (stopped.kind, stopped.sample) == (TurnKind.SPEECH_STOPPED, 30 * 512)
    assert started.decided_at == pytest.approx(100 + 12 * FRAME_S)
    assert call.input.last_speech_sample == 30 * 512
    assert call.input.last_speech_at == pytest.approx(100 + 30 * FRAME_S)
    assert call.input.speech_began_at == pytest.approx(100 + 10 * FRAME_S)


def test_a_cough_over_a_reply_is_over_sooner_than_a_pause_in_a_turn() -> None:
    counts = []
    for is_replying in (True, False):
        call = Call()
        call.is_replying = is_replying
        call.frames(0.9, 3)
        frames = 0
        while SpeechStopped() not in call.facts:
            call.frames(0.0, 1)
            frames += 1
        counts.append(frames)
    assert counts == [4, 8]


def test_each_pause_in_speech_is_noticed_once_and_before_the_speech_is_over() -> None:
    call = Call()
    call.frames(0.0, 10)
    for _ in range(2):
        call.frames(0.9, 20)
        call.frames(0.0, 2)  # between syllables
        call.frames(0.9, 10)
        spoke_at = call.now
        call.frames(0.0, 12)
        assert call.paused_at.pop() == pytest.approx(spoke_at + 3 * FRAME_S)
        assert call.paused_at == []


def test_audio_hurries_only_around_the_moment_a_final_may_hang_on_it() -> None:
    call = Call()
    call.frames(0.9, 30)
    call.frames(0.0, 60)
    urgent = [
        round((number - 30) * FRAME_S, 3) for number, (_, hurries) in enumerate(call.recognition.pushed, 1) if hurries
    ]
    assert min(urgent) == pytest.approx(FINAL_AFTER_S - 0.16, abs=FRAME_S)
    assert max(urgent) == pytest.approx(FINAL_AFTER_S + 0.16, abs=FRAME_S)
    assert len(urgent) == pytest.approx(0.32 / FRAME_S, abs=1)


def test_without_a_detector_no_audio_hurries() -> None:
    call = Call(detects=False)
    call.frames(0.0, 3)
    assert [hurries for _, hurries in call.recognition.pushed] == [False] * 3
    assert call.facts == []


async def test_results_become_transcripts_and_facts_in_the_calls_time() -> None:
    call = Call()
    call.frames(0.0, 125)  # four seconds
    call.recognition.says = [
        RecognitionResult(" hello", False, 0.5, 3.0),
        RecognitionResult(" hello you", True, 1.0, 4.0),
    ]
    await call.input.run()
    heard = [fact for fact in call.facts if isinstance(fact, Heard)]
    assert [(fact.text, fact.final, fact.stability) for fact in heard] == [
        ("hello", False, 0.5),
        ("hello you", True, 1.0),
    ]
    assert [fact.until for fact in heard] == pytest.approx([3.0, 4.0])
    assert [(event.turn, event.text) for event in call.told if isinstance(event, Transcribed)] == [
        (4, "hello"),
        (4, "hello you"),
    ]
    assert call.detector.closed


async def test_only_a_final_with_words_counts_as_the_final_of_a_turn() -> None:
    call = Call()
    call.now = 103.0
    call.recognition.says = [
        RecognitionResult("", True),
        RecognitionResult("hello", False),
        RecognitionResult("  ", True),
    ]
    await call.input.run()
    assert call.input.final_at == 0.0
    call.recognition.says = [RecognitionResult("hello", True)]
    await call.input.run()
    assert call.input.final_at == 103.0


def test_a_committed_turn_asks_for_its_final() -> None:
    call = Call()
    call.input.finish_utterance()
    assert call.recognition.finished == 1
    assert (call.input.open_audio, call.input.received_s) == (b"open", 0.0)


def test_silence_after_the_final_need_not_be_heard_again() -> None:
    call = Call()
    call.frames(0.9, 20)
    before = call.recognition.forgotten
    call.frames(0.0, 60)
    assert call.recognition.forgotten == before, "the final may still be on its way"
    call.input.final_at = call.now
    call.frames(0.0, 1)
    assert call.recognition.forgotten == before + 1


@pytest.mark.looptime
async def test_audio_that_stops_in_the_midst_of_speech_has_stopped_the_speech() -> None:
    call = Call()
    call.frames(0.9, 5)
    watch = asyncio.create_task(call.input.watch())
    await asyncio.sleep(0.5)
    call.now += 0.5
    assert call.speech == [SpeechStarted()]
    call.now += 0.8
    await asyncio.sleep(0.8)
    assert call.speech == [SpeechStarted(), SpeechStopped()]
    assert call.recognition.finished == 1
    watch.cancel()


@pytest.mark.looptime
@pytest.mark.parametrize(("stops_after_s", "finished"), [(0.3, 1), (0.6, 1)])
async def test_words_get_their_final_though_the_caller_stops_after_the_detector_has(
    stops_after_s: float, finished: int
) -> None:
    call = Call()
    call.frames(0.9, 20)
    call.frames(0.0, round(stops_after_s / FRAME_S))
    watch = asyncio.create_task(call.input.watch())
    await asyncio.sleep(0)
    call.now += 1.3
    await asyncio.sleep(1.3)
    assert call.speech == [SpeechStarted(), SpeechStopped()]
    assert (call.recognition.finished, call.recognition.finished_in_silence) == (finished, finished)
    behind = call.facts[-1]
    assert isinstance(behind, Heard)
    assert behind.until == pytest.approx(call.now - 101.3), "the recogniser has heard no silence: the turn waits for it"
    watch.cancel()


@pytest.mark.looptime
async def test_a_caller_who_leaves_is_not_absent() -> None:
    call = Call()
    call.frames(0.9, 20)
    watch = asyncio.create_task(call.input.watch())
    call.input.left()
    call.now += 5.0
    await asyncio.sleep(5.0)
    assert call.speech == [SpeechStarted()]
    call.input.returned()
    await asyncio.sleep(0.5)
    assert call.speech == [SpeechStarted()]
    call.now += 1.3
    await asyncio.sleep(1.3)
    assert call.speech == [SpeechStarted(), SpeechStopped()]
    watch.cancel()


@pytest.mark.looptime
async def test_a_link_that_stands_still_is_waited_for_and_one_that_stays_so_is_not() -> None:
    call = Call()
    call.frames(0.9, 20)
    watch = asyncio.create_task(call.input.watch())
    for second in range(1, 8):
        call.now, call.overdue_s = call.now + 1.0, float(second)
        await asyncio.sleep(1.0)
    assert call.speech == [SpeechStarted()]
    assert call.stalls
    assert all(call.stalls)
    call.now, call.overdue_s = call.now + 1.5, 8.5
    await asyncio.sleep(1.5)
    assert call.speech == [SpeechStarted(), SpeechStopped()]
    assert call.stalls[-1] is False
    watch.cancel()


@pytest.mark.looptime
@pytest.mark.parametrize("keeps_audio", [True, False])
async def test_a_caller_who_returns_is_waited_for_until_the_audio_that_was_kept_has_come(keeps_audio: bool) -> None:
    call = Call()
    call.frames(0.9, 20)
    watch = asyncio.create_task(call.input.watch())
    call.input.left()
    call.now += 3.0
    call.input.returned()
    waited_s = 0.0
    while call.input.is_catching_up:
        for _ in range(30 if keeps_audio else 3):
            call.input.push(FRAME)
        call.now += 0.1
        waited_s += 0.1
        await asyncio.sleep(0.1)
    assert waited_s == pytest.approx(0.4 if keeps_audio else 1.3, abs=0.21)
    assert call.stalls == [False]
    assert call.speech == [SpeechStarted()]
    watch.cancel()


async def test_speech_that_stops_says_how_much_of_it_the_recogniser_has_not_heard() -> None:
    call = Call()
    call.frames(0.9, 100)
    call.recognition.says = [RecognitionResult("go", False, 0.5, 1.0)]
    await call.input.run()
    call.frames(0.0, 10)
    stopped = call.facts[-1]
    assert isinstance(stopped, SpeechStopped)
    assert stopped.unheard == pytest.approx(100 * FRAME_S - 1.0)
