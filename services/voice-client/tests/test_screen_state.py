"""What does the screen know after which events? Stories, without a terminal and without a clock."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from pcm import AudioFormat, Encoding
from rich.console import Console
from voice_client import (
    Dropped,
    Ended,
    Error,
    Event,
    GoAway,
    Latency,
    ReplyText,
    Started,
    ToolCall,
    Transcript,
    Turn,
    TurnEvent,
)
from voice_client.cli.plain_lines import new_lines
from voice_client.cli.screen import MARK, Size, render
from voice_client.live import screen_state
from voice_client.live.screen_state import LINES_KEPT, CallerLine, Connection, NoteLine, Phase, ReplyLine, ScreenState

PCM = AudioFormat(Encoding.PCM16, 16000)
FIRST = ScreenState("gateway:50050")


def started(*, resumed: bool = False) -> Started:
    return Started("id", PCM, PCM, 1000, True, 60.0, resumed)


def said(turn: int, text: str, *, final: bool = False, utterance: int = 1) -> Transcript:
    return Transcript(turn, utterance, text, final, 0.5, (), 0, 0)


def after(*events: Event, state: ScreenState = FIRST) -> ScreenState:
    for event in events:
        state = screen_state.observe(state, event)
    return state


def picture(state: ScreenState, width: int = 80, height: int = 24) -> str:
    console = Console(width=width, height=height, color_system=None, file=open("/dev/null", "w"), record=True)  # noqa: SIM115
    console.print(render(state, Size(width, height)))
    console.file.close()
    return console.export_text()


def test_a_partial_turns_into_a_final_and_the_turn_ends_with_its_own_words() -> None:
    state = after(said(1, "what"), said(1, "what time", final=True), said(1, "is", utterance=2))
    assert state.lines == (CallerLine(1, ((1, "what time"),), "is"),)
    assert "you    what time is …" in picture(state)
    state = after(TurnEvent(Turn.TURN_ENDED, turn=1, text="What time is it?"), said(1, "late"), state=state)
    assert state.lines == (CallerLine(1, ((0, "What time is it?"),), is_over=True),)


def test_a_retracted_reply_is_forgotten_and_the_turn_goes_on() -> None:
    state = after(
        TurnEvent(Turn.TURN_ENDED, turn=1, text="I want"),
        TurnEvent(Turn.REPLY_STARTED, turn=1, reply=1),
        ReplyText(1, "What do you want?"),
        TurnEvent(Turn.REPLY_RETRACTED, turn=1, reply=1),
        TurnEvent(Turn.TURN_ENDED, turn=1, text="I want tea."),
    )
    assert state.lines == (CallerLine(1, ((0, "I want tea."),), is_over=True),)
    assert state.open_reply is None


def test_words_count_as_heard_as_the_loudspeaker_plays_them() -> None:
    state = after(TurnEvent(Turn.REPLY_STARTED, turn=1, reply=1), ReplyText(1, "It is noon. The sun is high."))
    assert "▸ It is noon." in picture(state)
    state = screen_state.reply_heard(state, 1, 0.9)  # 13 letters at 15 a second: the third word is over, no more
    assert f"It is noon. {MARK} The sun is high." in picture(state)
    state = screen_state.reply_heard(state, 1, 0.5)
    assert state.open_reply == ReplyLine(1, 1, "It is noon. The sun is high.", 11), "nobody can unhear"
    state = after(TurnEvent(Turn.REPLY_ENDED, turn=1, reply=1, text="It is noon. The sun is high."), state=state)
    state = screen_state.reply_heard(state, 1, 2.8, final=True)
    assert MARK not in picture(state)
    assert 10 < state.reply_letters_per_s < 15, "28 letters in 2.8 s: the voice is slower than was thought"


def test_of_an_interrupted_reply_the_gateway_knows_what_was_heard() -> None:
    state = after(
        ReplyText(1, "It is noon. The sun is high."),
        TurnEvent(Turn.REPLY_INTERRUPTED, reply=1, heard_text="It is", heard_ms=400),
        Latency(1, 1, gateway_response_latency=0.84, llm_ttft=0.12, endpointing_delay=0.3),
    )
    shown = picture(state)
    assert "reply  It is — interrupted (not heard: noon. The sun is high.)" in shown
    assert "sent after 0.84 s: turn end 0.30 · first token 0.12" in shown
    assert screen_state.reply_heard(state, 1, 9.0) == state


def test_a_held_reply_is_shown_as_paused_and_goes_on() -> None:
    state = after(ReplyText(1, "It is noon."), TurnEvent(Turn.REPLY_HELD, reply=1))
    assert "paused" in picture(state)
    assert "paused" not in picture(after(TurnEvent(Turn.REPLY_RESUMED, reply=1), state=state))


def test_the_connection_is_told_with_the_time_it_lasts() -> None:
    state = screen_state.at(FIRST, 3.0)
    assert "connecting 0:03" in picture(state)
    state = screen_state.at(after(started(), state=state), 68.0)
    assert "connected 1:05" in picture(state)
    state = screen_state.at(after(Dropped("the network is away"), state=state), 70.0)
    assert "reconnecting 0:02" in picture(state)
    state = after(started(resumed=True), state=state)
    assert state.connection is Connection.RESUMED
    assert "resumed 1:07" in picture(state), "the call is as old as before"
    assert screen_state.at(state, 80.0).connection is Connection.CONNECTED


def test_a_new_call_numbers_its_turns_anew() -> None:
    turn = TurnEvent(Turn.TURN_ENDED, turn=1, text="one")
    state = after(started(), turn, started(), turn)
    assert len([line for line in state.lines if isinstance(line, CallerLine)]) == 2


def test_old_lines_are_forgotten() -> None:
    turns = [TurnEvent(Turn.TURN_ENDED, turn=n, text=f"turn {n}") for n in range(1, LINES_KEPT + 50)]
    state = after(started(), *turns)
    assert len(state.lines) == LINES_KEPT
    assert "turn 249" in picture(state)
    assert after(said(249, "late"), state=state).lines[-1] == state.lines[-1]


def test_what_goes_wrong_is_said() -> None:
    state = after(
        Error("llm_timeout", "the model is slow", True, 0.0, False),
        GoAway("draining", 7.0, "", False),
        ToolCall("1", 1, "get_weather", {}, 5.0),
        Ended("failed", "recognition is away"),
    )
    shown = picture(state)
    for words in ("!      the model is slow", "this call ends within 7 s", "tool get_weather", "recognition is away"):
        assert words in shown
    assert isinstance(state.lines[0], NoteLine)


def test_plain_lines_say_each_thing_once() -> None:
    events: Sequence[Event] = (
        started(),
        said(1, "what"),
        said(1, "what time", final=True),
        TurnEvent(Turn.TURN_ENDED, turn=1, text="What time is it?"),
        TurnEvent(Turn.REPLY_STARTED, turn=1, reply=1),
        ReplyText(1, "It is "),
        ReplyText(1, "noon."),
        TurnEvent(Turn.REPLY_ENDED, turn=1, reply=1, text="It is noon."),
        Latency(1, 1, voice_to_voice=0.9),
        ReplyText(2, "And then"),
        TurnEvent(Turn.REPLY_INTERRUPTED, reply=2, heard_text="And"),
        Latency(2, 2, barge_in_stop=0.2),
        Error("x", "the model is slow", True, 0.0, False),
        Dropped("gone"),
    )
    told, state = [], FIRST
    for event in events:
        before, state = state, screen_state.observe(state, event)
        told += new_lines(before, state)
    assert told == [
        "connected to gateway:50050",
        "You: What time is it?",
        "Reply: It is noon.",
        "Latency: reply heard after 0.90 s",
        "Reply, interrupted, heard: And",
        "Latency: reply stopped after 0.20",
        "Warning: the model is slow",
        "Warning: connection lost: gone; reconnecting",
    ]


TEXTS = st.text(st.sampled_from("ab ﷽é語\n\t🎧[/x]\u200d\x1b"), max_size=40)
SMALL = st.integers(0, 3)
EVENTS = st.one_of(
    st.builds(said, SMALL, TEXTS, final=st.booleans(), utterance=SMALL),
    st.builds(TurnEvent, st.sampled_from(Turn), turn=SMALL, reply=SMALL, text=TEXTS, heard_text=TEXTS),
    st.builds(ReplyText, SMALL, TEXTS),
    st.builds(Latency, SMALL, SMALL, voice_to_voice=st.floats(0, 9), tts_ttfb=st.none() | st.floats(0, 9)),
    st.builds(Error, TEXTS, TEXTS, st.booleans(), st.just(0.0), st.booleans()),
    st.builds(Dropped, TEXTS),
    st.builds(started, resumed=st.booleans()),
    st.builds(Ended, TEXTS, TEXTS),
)
HEARD = st.tuples(SMALL, st.floats(0, 20), st.booleans())


@settings(max_examples=50, deadline=None)
@given(
    st.lists(EVENTS | HEARD, max_size=12), st.none() | TEXTS, st.sampled_from([1, 12, 40, 80, 200]), st.integers(1, 60)
)
def test_whatever_happens_it_fits_the_terminal(
    happened: list[Event | tuple[int, float, bool]], typing: str | None, width: int, height: int
) -> None:
    state = FIRST
    for event in happened:
        before = state
        if isinstance(event, tuple):
            state = screen_state.reply_heard(state, event[0], event[1], final=event[2])
        else:
            state = screen_state.observe(state, event)
        new_lines(before, state)
        hash(state)
    state = replace(state, typing=None if typing is None else typing.replace("\x1b", ""))
    rows = picture(state, width, height).removesuffix("\n").split("\n")
    assert len(rows) <= height
    assert not any("\x1b" in row for row in rows)
    assert picture(state, width, height) == picture(state, width, height), "the same state looks the same"
    for line in state.lines:
        assert not isinstance(line, ReplyLine) or 0 <= line.heard_chars <= len(line.text)
        assert not isinstance(line, ReplyLine) or line.phase in Phase
