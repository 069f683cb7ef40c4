"""How is a corpus heard, category by category? So that each one's CPU and times are its own."""

import asyncio
from collections.abc import Sequence

from voice_bench.speech.activity import SpeechActivity
from voice_bench.speech.corpus import CorpusItem
from voice_bench.speech.cpu import cpu_of
from voice_bench.speech.quality import Recognition, hear_all
from voice_bench.speech.quality_report import QualityRun
from voice_bench.speech.server import SpeechServer
from voice_bench.speech.timing import Timing, timing


async def recognise_by_category(
    server: SpeechServer, recordings: Sequence[CorpusItem], *, live: bool, at_once: int, language: str
) -> QualityRun:
    """Every recording, `at_once` of a category at a time."""
    heard: list[Recognition] = []
    cpu_s: dict[str, float] = {}
    timings: dict[str, Timing] = {}
    activity = SpeechActivity()
    async with cpu_of(server.pid) as meter:
        for category in dict.fromkeys(one.category for one in recordings):
            chosen = [one for one in recordings if one.category == category]
            before_s = meter.used_s() if meter else 0.0
            found = await hear_all(server.target, chosen, live=live, at_once=at_once, language=language)
            if meter:
                cpu_s[category] = meter.used_s() - before_s
            if live:
                timings[category] = await asyncio.to_thread(_times, found, activity)
            heard += found
    return QualityRun(heard, language, None, cpu_s, timings)


def _times(heard: Sequence[Recognition], activity: SpeechActivity) -> Timing:
    every = Timing()
    for one in heard:
        # Where nobody speaks, nothing is late.
        if one.spoken.text:
            every.add(timing(one.results, activity(one.spoken.pcm16())))
    return every
