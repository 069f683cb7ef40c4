"""Do the parts of a live call decide rightly? Each alone, in literal seconds and samples."""

import numpy as np
import pytest
from pcm import dbfs
from voice_client.cli.key_commands import Command, Pressed, press
from voice_client.cli.keys import KeyDecoder
from voice_client.device_choice import DeviceInfo, Kind, NoAudio, choose
from voice_client.device_conversion import InputConversion, OutputConversion
from voice_client.live.echo_canceller import EchoCanceller
from voice_client.live.echo_reference import EchoReference
from voice_client.live.half_duplex import HalfDuplex
from voice_client.live.heard_text import heard_chars, letters_per_s
from voice_client.live.talk_key import RELEASED_AFTER_S, TalkKey


def talks(presses: list[float], asked_at: list[float]) -> list[bool]:
    """Whether the caller talks at each moment."""
    key, told = TalkKey(), []
    for moment in sorted([*presses, *asked_at]):
        key = key.at(moment)
        if moment in presses:
            key = key.press(moment)
        if moment in asked_at:
            told.append(key.is_talking)
    return told


def test_two_taps_begin_and_end_a_turn() -> None:
    assert talks([1.0, 4.0], [0.5, 1.5, 3.9, 4.1]) == [False, True, True, False]


def test_a_held_key_talks_until_it_is_released() -> None:
    repeats = [1.0, 1.5, *(1.5 + n * 0.03 for n in range(1, 20))]
    last = repeats[-1]
    assert talks(repeats, [1.2, 1.6, last + 0.2, last + 0.3]) == [True, True, True, False]
    held = TalkKey().press(1.0).press(1.5)
    assert held.deadline() == 1.5 + RELEASED_AFTER_S
    assert TalkKey().press(1.0).deadline() is None


def test_the_gate_is_closed_while_a_reply_sounds_and_for_its_tail() -> None:
    gate = HalfDuplex(tail_s=0.3).played(5.0, 0.02).played(5.02, 0.02)
    assert [gate.is_closed(at) for at in (4.0, 5.0, 5.33, 5.35)] == [True, True, True, False]
    assert not HalfDuplex().is_closed(0.0)


def test_heard_text_is_cut_at_the_end_of_a_word() -> None:
    text = "It is noon. The sun is high."
    assert [text[: heard_chars(text, at, 10.0)] for at in (0.0, 0.4, 1.0, 1.2, 9.0)] == [
        "",
        "It",
        "It is",
        "It is noon.",
        text,
    ]
    assert letters_per_s(text, 0.5, 15.0) == 15.0, "too short to learn from"
    assert letters_per_s(text, 2.8, 15.0) == 12.5


def test_the_reference_is_dropped_as_far_as_it_waits_needlessly() -> None:
    reference = EchoReference(1000)
    reference.add(b"a\0" * 60 + b"b\0" * 40)
    assert reference.take(20) == b"b\0" * 20, "what waited before the first frame is too old"
    assert reference.waiting == 20
    assert reference.take(30) == b"b\0" * 20 + bytes(20), "what is missing is silence"


def test_the_reference_follows_a_loudspeaker_that_is_faster_than_the_microphone() -> None:
    reference = EchoReference(1000)
    for _ in range(2000):
        reference.add(b"a\0" * 21)
        reference.take(20)
    assert reference.waiting < 100
    for _ in range(100):
        reference.add(bytes(2000))
    assert reference.waiting == 1000


def test_keys_come_as_characters_and_names() -> None:
    decoder = KeyDecoder()
    typed = (b"a\r\n\x7f\x04", b"\x1b", b"\x1b[A\x1bOP\x1b[1;5Cx", "ü".encode()[:1])
    told = [list(decoder.keys(data)) for data in typed]
    assert told == [["a", "enter", "enter", "backspace", "end"], ["escape"], ["x"], []]
    assert list(decoder.keys("ü".encode()[1:])) == ["ü"]
    assert list(decoder.keys(b"\xff\x00")) == ["\ufffd"]


def test_keys_are_commands_until_a_turn_is_typed() -> None:
    assert press("Q", None) == Pressed(Command.QUIT)
    assert press("x", None) == Pressed()
    assert press("t", None) == Pressed(typing="")
    assert press("q", "") == Pressed(typing="q")
    assert press("backspace", "") == Pressed(typing="")
    assert press("enter", " go on ") == Pressed(say="go on")
    assert press("enter", "  ") == Pressed()
    assert press("escape", "go") == Pressed()
    assert press("end", "go") == Pressed(Command.QUIT)


def device(index: int, name: str, api: str = "ALSA", *, inputs: int = 1, default: bool = False) -> DeviceInfo:
    return DeviceInfo(index, name, api, inputs, 2, 48000, default, default)


DEVICES = [
    device(0, "HDMI", inputs=0),
    device(1, "USB Headset", default=True),
    device(2, "USB Headset", "JACK"),
    device(3, "USB Camera"),
]


@pytest.mark.parametrize(
    ("wish", "kind", "index"), [("", "input", 1), ("3", "input", 3), ("cam", "input", 3), ("usb headset", "input", 1)]
)
def test_a_device_is_found_by_number_or_name(wish: str, kind: Kind, index: int) -> None:
    assert choose(DEVICES, wish, kind).index == index


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("usb", "several devices are called like that; take one of: 1 USB Headset (ALSA), 3 USB Camera (ALSA)"),
        ("0", "there is no such device; take one of: 1 USB Headset"),
        ("HDMI", "there is no such device"),
    ],
)
def test_a_wish_that_fits_no_device_or_several_is_a_sentence(wish: str, sentence: str) -> None:
    with pytest.raises(NoAudio, match=f"--input {wish}: ") as refused:
        choose(DEVICES, wish, "input")
    assert sentence in str(refused.value)
    with pytest.raises(NoAudio, match="no microphone; plug one in"):
        choose(DEVICES[:1], "", "input")


def test_a_device_of_another_rate_with_two_channels_takes_part() -> None:
    taking = InputConversion(48_000, 2, 16_000)
    frames = [frame for _ in range(50) for frame in taking.frames(b"\x00\x10\x00\x20" * 960)]
    assert {len(frame) for frame in frames} == {640}
    assert len(frames) in (49, 50)
    assert int.from_bytes(frames[40][100:102], "little") == pytest.approx(0x1800, abs=2)

    asked: list[int] = []

    def fill(count: int, delay_s: float) -> bytes:
        asked.append(count)
        return b"\x00\x10" * count

    giving = OutputConversion(44_100, 2, 8_000)
    blocks = [giving.block(882, 0.02, fill) for _ in range(50)]
    assert {len(block) for block in blocks} == {882 * 4}
    assert sum(asked) == pytest.approx(8000, abs=320)
    assert blocks[40][:2] == blocks[40][2:4]


def test_the_echo_is_taken_out_though_two_threads_bring_its_halves_out_of_step() -> None:
    """The loudspeaker at 22.05 kHz gives 20 ms at a time, sometimes two blocks at once; the echo is 60 ms late."""
    random = np.random.default_rng(1)
    bursts = np.repeat(random.uniform(0.0, 0.3, 60), 2205)
    reply = bursts * random.standard_normal(len(bursts))
    at_16k = np.interp(np.arange(6 * 16_000) * 22_050 / 16_000, np.arange(len(reply)), reply)
    microphone = np.concatenate([np.zeros(960), at_16k])[: len(at_16k)] * 0.4
    canceller = EchoCanceller(16_000, 22_050)
    played = as_pcm16(reply)
    cleaned, given = [], 0
    for tick in range(300):
        due = tick + 1 - (tick % 7 == 3)  # late once in seven blocks, then two at once
        for block in range(given, due):
            canceller.played(played[block * 882 : block * 882 + 882])
        given = due
        cleaned.append(canceller.clean(as_pcm16(microphone[tick * 320 : tick * 320 + 320])))
    before, after = as_pcm16(microphone[32_000:]), b"".join(cleaned[100:])
    assert dbfs(before) - dbfs(after) > 20


def as_pcm16(sound: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    return bytes(np.clip(sound * 32768, -32768, 32767).astype("<i2").tobytes())
