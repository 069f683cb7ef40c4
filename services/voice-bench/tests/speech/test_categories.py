"""Are recordings made as noisy, narrow and quiet as their category says, and always the same?"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pcm import dbfs, duration_s, silence, write_wav
from voice_bench.measure.clips import RATE_HZ
from voice_bench.speech.categories import LONG_S, write_categories
from voice_bench.speech.conditions import CONDITIONS, noisy, pcm16_of, pink
from voice_bench.speech.corpus import CorpusItem, corpus
from voice_bench.speech.non_speech import LENGTH_S, non_speech

AT_S = np.arange(RATE_HZ) / RATE_HZ
TONES = sum(0.1 * np.sin(2 * np.pi * hz * AT_S) for hz in (100, 1000, 3000, 3800, 6000))
SOUND = pcm16_of(np.asarray(TONES))


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def samples(pcm16: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm16, "<i2") / 32767


def levels(pcm16: bytes) -> dict[int, float]:
    """Of each tone, of full scale."""
    lines = np.abs(np.fft.rfft(samples(pcm16))) / len(AT_S) * 2
    return {hz: float(lines[hz]) for hz in (100, 1000, 3000, 3800, 6000)}


@pytest.mark.parametrize("snr_db", [20, 10])
def test_noise_lies_below_the_speech_and_not_below_its_pauses(snr_db: float) -> None:
    spoken = SOUND + silence(3, RATE_HZ)
    noise = samples(noisy(snr_db)(spoken, rng())) - samples(spoken)
    found_db = 10 * np.log10(np.mean(samples(SOUND) ** 2) / np.mean(noise**2))
    assert found_db == pytest.approx(snr_db, abs=0.3)


def test_noise_in_silence_and_in_nothing_is_none() -> None:
    assert noisy(10)(silence(1, RATE_HZ), rng()) == silence(1, RATE_HZ)
    assert noisy(10)(b"", rng()) == b""


def test_a_loud_recording_is_made_quieter_rather_than_clipped() -> None:
    full = pcm16_of(np.sin(2 * np.pi * 440 * AT_S))
    found = samples(noisy(10)(full, rng()))
    assert np.sum(np.abs(found) > 0.999) <= 2


def test_a_telephone_leaves_its_band() -> None:
    found = levels(CONDITIONS["telephone"](SOUND, rng()))
    assert found == pytest.approx({100: 0, 1000: 0.1, 3000: 0.1, 3800: 0, 6000: 0}, abs=1e-3)


def test_mulaw_leaves_what_8_khz_carry() -> None:
    changed = CONDITIONS["mulaw"](SOUND, rng())
    assert len(changed) == len(SOUND)
    found = levels(changed)
    assert (found[100], found[1000], found[6000]) == pytest.approx((0.1, 0.1, 0), abs=5e-3)


def test_quiet_is_30_db_lower_and_clean_is_untouched() -> None:
    assert dbfs(CONDITIONS["quiet"](SOUND, rng())) == pytest.approx(dbfs(SOUND) - 30, abs=0.1)
    assert CONDITIONS["clean"](SOUND, rng()) == SOUND


def test_pink_noise_falls_by_3_db_an_octave() -> None:
    power = np.abs(np.fft.rfft(pink(20 * RATE_HZ, rng()))) ** 2
    low, high = power[20 * 500 : 20 * 1000].mean(), power[20 * 1000 : 20 * 2000].mean()
    assert 10 * np.log10(low / high) == pytest.approx(3, abs=0.3)


def test_what_holds_no_words_has_the_level_it_names() -> None:
    made = non_speech(rng())
    for name, pcm16 in made["noise-only"].items():
        level = float(name.removesuffix("dBFS").lstrip("whitepnk"))
        assert dbfs(pcm16) == pytest.approx(level, abs=0.3), name
    assert not any(made["silence"]["zeros"])
    assert dbfs(made["silence"]["hiss"]) < -75
    assert all(-35 < dbfs(pcm16) < -14 for pcm16 in made["tones"].values())
    assert all(duration_s(pcm16, RATE_HZ) == LENGTH_S for clips in made.values() for pcm16 in clips.values())


def recordings(folder: Path) -> list[CorpusItem]:
    for name, text in (("a/one", "first words"), ("b/one", "other words"), ("b/two", "last")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_wav(folder / f"{name}.wav", [SOUND], RATE_HZ)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return corpus(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_a_seed_always_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    found = recordings(tmp_path / "in")
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        write_categories(found, tmp_path / name, seed)
    assert content(tmp_path / "first") == content(tmp_path / "again")
    changed = {name for name, data in content(tmp_path / "other").items() if content(tmp_path / "first")[name] != data}
    assert {name.partition("/")[0] for name in changed} == {"noise-10dB", "noise-20dB", "noise-only", "silence", "long"}


def test_a_recording_more_changes_no_other_file(tmp_path: Path) -> None:
    found = recordings(tmp_path / "in")
    write_categories(found[1:], tmp_path / "fewer")
    write_categories(found, tmp_path / "all")
    name = "noise-10dB/two.wav"
    assert content(tmp_path / "all")[name] == content(tmp_path / "fewer")[name]


def test_what_was_made_is_a_corpus_whose_long_recording_holds_all_of_them(tmp_path: Path) -> None:
    write_categories(recordings(tmp_path / "in"), tmp_path / "out")
    made = corpus(tmp_path / "out")
    assert [one.name for one in made if one.category == "mulaw"] == ["a-one", "b-one", "two"]
    (long,) = (one for one in made if one.category == "long")
    pcm16 = long.pcm16()
    assert LONG_S <= duration_s(pcm16, RATE_HZ) < LONG_S + 3
    count = pcm16.count(SOUND)
    assert 120 / 2.2 < count < 120 / 1.4, "pauses of 0.4 to 1.2 s"
    said = [long.text.count(text) for text in ("first words", "other words", "last")]
    assert sum(said) == count
    assert max(said) - min(said) <= 1
    assert {one.text for one in made if one.category in ("silence", "noise-only", "tones")} == {""}
