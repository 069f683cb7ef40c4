"""Which measurements of the speech server can be asked for? `voice-bench quality | streams | fuzz`."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from voice_bench.measure.cli import Json, Seed, Strict, run_measurement
from voice_bench.measure.report import Report, Rows, as_json
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.speech import fuzz as fuzzing
from voice_bench.speech import quality_report, streams_report
from voice_bench.speech import streams as streaming
from voice_bench.speech.corpus import corpus
from voice_bench.speech.quality import hear_all
from voice_bench.speech.server import speech_server

app = typer.Typer(help="Measurements of the speech server.", no_args_is_help=True)

Target = Annotated[str | None, typer.Option(help="host:port of a Riva target; else a server of our own is started")]
SCRIPTED: Mapping[str, str] = {"SPEECH_ASR_ENGINE": "scripted", "SPEECH_TTS_ENGINE": "tone", "TONE_FIRST_CHUNK_MS": "0"}
_QUIET = {"SPEECH_LOG_LEVEL": "ERROR"}
_MOST_GROWTH_MB, _MOST_GROWTH_FILES = 32.0, 16


@app.command()
def quality(
    folder: Annotated[Path, typer.Argument(help="recordings with texts, or LibriSpeech", exists=True, file_okay=False)],
    engine: Annotated[str, typer.Option(help="engine of our own server, and whose threshold holds")] = "embedded",
    target: Target = None,
    live: Annotated[bool, typer.Option(help="as live streams in real time, instead of whole recordings")] = False,
    at_once: Annotated[int, typer.Option(min=1, help="recordings at once")] = 1,
    limit: Annotated[int, typer.Option(min=0, help="only so many recordings; 0 = all")] = 0,
    most_wrong: Annotated[float | None, typer.Option(help="word error rate that is still good enough, 0 to 1")] = None,
    language: Annotated[str, typer.Option(help="language code")] = "en-US",
    out: Annotated[Path | None, typer.Option(help="also write the JSON here")] = None,
    json: Json = False,
    strict: Strict = False,
) -> None:
    """Word error rate and latency of each recording and category, against the engine's threshold."""

    async def measure() -> Report:
        recordings = corpus(folder)
        chosen = recordings[:limit] if limit else recordings
        settings = {"SPEECH_ASR_ENGINE": engine, "SPEECH_TTS_ENGINE": "tone", **_QUIET}
        async with speech_server(settings, target) as server:
            heard = await hear_all(server.target, chosen, live=live, at_once=at_once, language=language)
        found = quality_report.report(heard, engine, live=live, most_wrong=most_wrong)
        if out is not None:
            out.write_text(as_json(found) + "\n", encoding="utf-8")
        return found

    run_measurement(measure, json=json, strict=strict)


@app.command()
def streams(
    count: Annotated[int, typer.Option(min=1, help="streams at once, in real time")] = 100,
    seconds: Annotated[float, typer.Option(min=6, help="how long they talk")] = 30,
    beyond: Annotated[int, typer.Option(min=0, help="streams beyond the limit that try half-way, twice")] = 50,
    json: Json = False,
    strict: Strict = False,
) -> None:
    """Scripted streams in real time: how late partials and finals are, and how soon those beyond the limit know."""

    async def measure() -> Report:
        settings = {**SCRIPTED, **_QUIET, "SPEECH_MAX_STREAMS": str(count), "SCRIPT_TRANSCRIPT": streaming.TRANSCRIPT}
        before, half_way_mb = 0, 0.0
        async with speech_server(settings) as server:
            process = server.process()
            began, cpu_s = time.monotonic(), sum(process.cpu_times()[:2])

            def half_time(so_far: streaming.Lateness) -> None:
                nonlocal before, half_way_mb
                before, half_way_mb = len(so_far.partials), process.memory_info().rss / 2**20

            found = await streaming.talk(server.target, count, seconds, beyond, half_time)
            used_s = sum(process.cpu_times()[:2]) - cpu_s
            server_used = streams_report.Used(
                used_s / (time.monotonic() - began), half_way_mb, process.memory_info().rss / 2**20
            )
        return streams_report.report(count, found, before, server_used)

    run_measurement(measure, json=json, strict=strict)


@app.command()
def fuzz(
    requests: Annotated[int, typer.Option(min=1, help="how many, over gRPC, HTTP and WebSocket")] = 100_000,
    seed: Seed = 1,
    json: Json = False,
    strict: Strict = False,
) -> None:
    """Broken requests: every one is answered, nothing crashes, nothing leaks."""

    async def measure() -> Report:
        settings = {**SCRIPTED, "SPEECH_LOG_LEVEL": "ERROR", "SCRIPT_FINAL_DELAY_MS": "0", "SPEECH_IDLE_LIMIT_S": "10"}
        began = time.monotonic()
        async with speech_server(settings) as server:
            outcome = await fuzzing.fuzz(server, requests, seed)
        return _fuzz_report(outcome, requests, time.monotonic() - began)

    run_measurement(measure, json=json, strict=strict)


def _fuzz_report(outcome: fuzzing.Outcome, requests: int, took_s: float) -> Report:
    answered = tuple((status, count) for status, count in sorted(outcome.statuses.items()))
    held = tuple(zip(outcome.rss_mb, outcome.files, strict=True))
    growth_mb = outcome.rss_mb[-1] - outcome.rss_mb[0]
    return Report(
        name=f"{requests} broken requests in {took_s:.0f} s",
        tables=(
            Rows("Answers", ("status", "count"), answered),
            Rows("Server, after each tenth", ("RSS MiB", "files"), held),
        ),
        verdicts=(
            none_of("requests without an answer", len(outcome.unanswered)),
            none_of("answers that say the server failed", len(outcome.broken)),
            at_most("memory grown after the warm-up", growth_mb, _MOST_GROWTH_MB, "MiB"),
            at_most("files grown after the warm-up", outcome.files[-1] - outcome.files[0], _MOST_GROWTH_FILES, ""),
            Verdict("not ready at the end", float(not outcome.is_ready), 0, "", outcome.is_ready),
        ),
        notes=(*outcome.unanswered[:5], *outcome.broken[:5]),
    )
