"""Two frames make speech, a quarter of a second of silence ends it, and a click is neither."""

from voice_gateway.core.speech_gate import GateChange, GatePolicy, SpeechGate, gate

FRAME_S = 0.032
POLICY = GatePolicy(start=0.5, stop=0.35, start_frames=2, hangover_s=0.25)


def run(*probabilities: float, state: SpeechGate | None = None) -> tuple[SpeechGate, list[tuple[int, GateChange]]]:
    """The gate after these frames, and at which frame (from 1) what changed."""
    state, edges = state or SpeechGate(), []
    for number, probability in enumerate(probabilities, 1):
        state, edge = gate(state, probability, number * FRAME_S, FRAME_S, POLICY)
        if edge:
            edges.append((number, edge))
    return state, edges


def test_one_loud_frame_is_a_click_and_not_speech() -> None:
    assert run(0.9, 0.1, 0.9, 0.1, 0.9, 0.1)[1] == []


def test_two_frames_in_a_row_start_speech_at_the_beginning_of_the_first() -> None:
    state, edges = run(0.1, 0.9, 0.9)
    assert edges == [(3, GateChange.STARTED)]
    assert (state.first_at, state.last_at) == (FRAME_S, 3 * FRAME_S)


def test_speech_once_started_goes_on_at_a_lower_probability() -> None:
    assert run(0.4, 0.4, 0.4)[1] == []
    state, edges = run(0.9, 0.9, *[0.4] * 20)
    assert edges == [(2, GateChange.STARTED)]
    assert state.last_at == 22 * FRAME_S


def test_speech_stops_after_the_hangover_and_t0_is_its_last_frame() -> None:
    state, edges = run(0.9, 0.9, *[0.1] * 10)
    assert edges == [(2, GateChange.STARTED), (10, GateChange.STOPPED)]  # 8 frames are the first to last 0.25 s
    assert state.last_at == 2 * FRAME_S


def test_a_pause_shorter_than_the_hangover_is_part_of_the_speech() -> None:
    state, edges = run(0.9, 0.9, *[0.1] * 7, 0.9, *[0.1] * 7)
    assert edges == [(2, GateChange.STARTED)]
    assert state.last_at == 10 * FRAME_S


def test_a_cough_is_speech_that_starts_and_stops() -> None:
    assert [edge for _, edge in run(0.9, 0.9, 0.9, *[0.0] * 9)[1]] == [GateChange.STARTED, GateChange.STOPPED]


def test_speech_can_start_again_and_needs_its_frames_anew() -> None:
    _, edges = run(0.9, 0.9, *[0.0] * 9, 0.9, 0.0, 0.9, 0.9)
    assert edges == [(2, GateChange.STARTED), (10, GateChange.STOPPED), (15, GateChange.STARTED)]


def test_silence_leaves_the_gate_as_it_is() -> None:
    state = SpeechGate()
    assert gate(state, 0.1, 1.0, FRAME_S, POLICY) == (state, None)


def test_in_a_burst_the_silence_after_speech_is_no_speech() -> None:
    """Frames that arrive at one time are told apart by what was heard in them."""
    state, heard = SpeechGate(), []
    for probability in (0.9, 0.9, 0.1, 0.1, 0.9, 0.1):
        state, _ = gate(state, probability, 5.0, FRAME_S, POLICY)
        heard.append(state.hears)
    assert heard == [False, True, False, False, True, False]
