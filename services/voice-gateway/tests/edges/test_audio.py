"""The caller's audio is checked, made whole and brought to the call's rate, and back."""

import math
from array import array

import pytest
from pcm import AudioFormat, Encoding, dbfs
from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.edges.audio import AudioIn, AudioOut, TooFast
from voice_gateway.errors import BadRequest

LAG_S = 0.005
"""What a resampler may keep back."""
PLAIN = AudioFormat(Encoding.PCM16, INPUT_RATE_HZ)
MULAW = AudioFormat(Encoding.MULAW, 8000)


def ramp(first: int, count: int) -> bytes:
    """Samples that carry their own number."""
    return array("h", range(first, first + count)).tobytes()


def tone(rate_hz: int, seconds: float, hz: float = 440.0) -> bytes:
    turn = 2 * math.pi * hz / rate_hz
    return array("h", (round(8000 * math.sin(turn * n)) for n in range(round(rate_hz * seconds)))).tobytes()


def audio_in(format: AudioFormat = PLAIN) -> AudioIn:
    return AudioIn(format, max_audio_s=1.0, max_ahead_s=5.0)


def test_audio_in_a_row_passes_as_it_is() -> None:
    audio = audio_in()
    assert audio.take(ramp(0, 320), 0, 0.0) == ramp(0, 320)
    assert audio.take(ramp(320, 320), 320, 0.0) == ramp(320, 320)
    assert audio.consumed_samples == 640


def test_a_caller_who_does_not_number_its_samples_is_taken_as_speaking_without_a_gap() -> None:
    audio = audio_in()
    assert [len(audio.take(ramp(0, 320), 0, 0.0)) for _ in range(3)] == [640] * 3
    assert audio.consumed_samples == 960


def test_a_gap_is_filled_with_silence() -> None:
    audio = audio_in()
    audio.take(ramp(0, 320), 0, 0.0)
    assert audio.take(ramp(420, 100), 420, 0.0) == bytes(200) + ramp(420, 100)
    assert audio.consumed_samples == 520


def test_a_gap_in_another_encoding_is_silence_too() -> None:
    audio = audio_in(MULAW)
    audio.take(MULAW.encode(tone(8000, 0.1)), 0, 0.0)
    filled = b"".join(audio.take(MULAW.encode(bytes(1600)), first, 0.0) for first in (4800, 5600))
    assert dbfs(filled[8000:]) < -60
    assert audio.consumed_samples == 6400


def test_a_very_long_gap_costs_no_more_memory_than_a_message() -> None:
    audio = audio_in()
    assert len(audio.take(ramp(0, 320), 48_000, 3.0)) == 2 * (16_000 + 320)
    assert audio.consumed_samples == 48_320


def test_what_came_already_is_dropped() -> None:
    audio = audio_in()
    audio.take(ramp(0, 320), 0, 0.0)
    assert audio.take(ramp(300, 40), 300, 0.0) == ramp(320, 20)
    assert audio.take(ramp(100, 40), 100, 0.0) == b""
    assert audio.consumed_samples == 340


def test_half_a_sample_is_refused_with_what_to_send() -> None:
    audio = audio_in()
    with pytest.raises(BadRequest, match="audio of 5 bytes holds half a sample; send whole 16-bit samples"):
        audio.take(b"12345", 0, 0.0)
    assert audio.consumed_samples == 0
    assert audio_in(MULAW).take(b"12345", 0, 0.0) is not None


def test_more_than_a_second_in_one_message_is_refused() -> None:
    audio = audio_in()
    assert len(audio.take(bytes(32_000), 0, 0.0)) == 32_000
    with pytest.raises(BadRequest, match="longer than one second; send 20 to 100 ms at a time"):
        audio.take(bytes(32_002), 16_000, 0.0)
    assert audio.consumed_samples == 16_000


def test_audio_that_comes_faster_than_it_is_spoken_ends_in_a_sentence_about_the_rate() -> None:
    audio = audio_in(AudioFormat(Encoding.PCM16, 8000))
    for second in range(5):
        audio.take(bytes(16_000), second * 8000, 0.0)
    with pytest.raises(TooFast, match=r"5\.5 s ahead of time; is it really 8000 Hz\? Name the true rate"):
        audio.take(bytes(16_000), 40_000, 0.5)


def test_audio_at_the_speed_of_speech_is_never_too_fast() -> None:
    audio = audio_in()
    for second in range(100):
        audio.take(bytes(32_000), second * 16_000, float(second))
    assert audio.consumed_samples == 1_600_000


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("encoding", list(Encoding))
def test_the_callers_rate_becomes_the_calls_and_back_without_losing_the_tone(rate_hz: int, encoding: Encoding) -> None:
    wire = AudioFormat(encoding, rate_hz)
    audio, step = audio_in(wire), rate_hz // 50 * encoding.sample_bytes
    sent = wire.encode(tone(rate_hz, 1.0))
    heard = b"".join(audio.take(sent[at : at + step], 0, 1.0) for at in range(0, len(sent), step))
    assert len(heard) / 2 == pytest.approx(INPUT_RATE_HZ, abs=LAG_S * INPUT_RATE_HZ)
    assert dbfs(heard[8000:]) == pytest.approx(dbfs(tone(INPUT_RATE_HZ, 1.0)), abs=0.5)
    out = AudioOut(wire, INPUT_RATE_HZ)
    said = tone(INPUT_RATE_HZ, 1.0)
    data = wire.decode(b"".join(out.give(1, at // 2, said[at : at + 3200])[1] for at in range(0, len(said), 3200)))
    assert len(data) / 2 == pytest.approx(rate_hz, abs=LAG_S * rate_hz)
    assert dbfs(data[8000:]) == pytest.approx(dbfs(said), abs=0.5)


def test_offsets_count_the_samples_of_the_wire_and_start_anew_with_each_reply() -> None:
    out = AudioOut(AudioFormat(Encoding.MULAW, 8000), 16_000)
    sizes: list[int] = []
    for number in range(5):
        offset, data = out.give(1, number * 1600, bytes(3200))
        assert offset == sum(sizes)
        sizes.append(len(data))
    assert out.give(2, 0, bytes(3200))[0] == 0


def test_equal_rates_pass_through() -> None:
    out = AudioOut(PLAIN, INPUT_RATE_HZ)
    assert [out.give(1, at, ramp(at, 100)) for at in (0, 100)] == [(0, ramp(0, 100)), (100, ramp(100, 100))]


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_audio_that_is_sent_again_on_a_new_stream_has_its_old_offset(rate_hz: int) -> None:
    out = AudioOut(AudioFormat(Encoding.PCM16, rate_hz), INPUT_RATE_HZ)
    for at in (0, 1600, 3200):
        out.give(1, at, ramp(at, 1600))
    sizes: list[int] = []
    for at in (1600, 3200):
        offset, data = out.give(1, at, ramp(at, 1600))
        assert offset == 1600 * rate_hz // INPUT_RATE_HZ + sum(sizes)
        sizes.append(len(data) // 2)


def test_reports_in_samples_of_the_wire_are_counted_at_the_calls_rate() -> None:
    assert AudioOut(MULAW, 16_000).to_call(4000) == 8000
    assert AudioOut(AudioFormat(Encoding.PCM16, 48_000), 22_050).to_call(48_000) == 22_050


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 48000])
def test_at_its_end_a_reply_is_complete_to_the_sample(rate_hz: int) -> None:
    out = AudioOut(AudioFormat(Encoding.PCM16, rate_hz), INPUT_RATE_HZ)
    sizes = [len(out.give(1, at, ramp(at, 1600))[1]) // 2 for at in (0, 1600, 3200)]
    offset, rest = out.end(1)
    assert offset == sum(sizes)
    assert sum(sizes) + len(rest) // 2 == pytest.approx(4800 * rate_hz / INPUT_RATE_HZ, abs=1)
    assert out.end(1) == (0, b"")
    assert out.give(2, 0, ramp(0, 1600))[0] == 0


@pytest.mark.parametrize("fast", [1.0014, 1.005, 0.995])
def test_a_clock_that_is_a_little_off_is_forgiven_for_hours(fast: float) -> None:
    audio, age_s = audio_in(), 0.0
    for second in range(4 * 3600):
        age_s += 1 / fast
        audio.take(bytes(32_000), second * 16_000, age_s)


def send_fast(audio: AudioIn, fast: float, age_s: float) -> None:
    """A hundred seconds of audio in less time."""
    for second in range(600, 700):
        age_s += 1 / fast
        audio.take(bytes(32_000), second * 16_000, age_s)


@pytest.mark.parametrize("fast", [1.1, 2.0, 3.0])
def test_a_wrong_rate_is_found_whenever_it_begins(fast: float) -> None:
    audio, age_s = audio_in(), 0.0
    for second in range(600):
        age_s += 1
        audio.take(bytes(32_000), second * 16_000, age_s)
    with pytest.raises(TooFast):
        send_fast(audio, fast, age_s)


def test_what_was_kept_while_the_link_was_down_may_come_at_once() -> None:
    audio = audio_in()
    for second in range(10):
        audio.take(bytes(32_000), second * 16_000, second + 1.0)
    for second in range(10, 25):
        audio.take(bytes(32_000), second * 16_000, 25.0)
