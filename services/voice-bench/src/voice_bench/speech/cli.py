"""Which measurements of the speech server are there? `voice-bench quality | corpus | streams | speech-flood | fuzz`."""

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from voice_bench.measure.cli import Seed, measurement
from voice_bench.measure.clips import NoSpeech
from voice_bench.measure.recordings_report import WORDS_MORE_WRONG
from voice_bench.measure.report import Report, as_json
from voice_bench.speech import flood as flood_run
from voice_bench.speech import fuzz as fuzz_run
from voice_bench.speech import fuzz_report, quality_report, streams_report
from voice_bench.speech import streams as streams_run
from voice_bench.speech.categories import write_categories
from voice_bench.speech.corpus import corpus
from voice_bench.speech.engine_only import START_WITHIN_S, recognise_without_server
from voice_bench.speech.flood_client import SpeechFlood
from voice_bench.speech.quality_run import recognise_by_category
from voice_bench.speech.server import engine_settings, speech_server
from voice_bench.speech.thresholds import thresholds

app = typer.Typer(help="Measurements of the speech server.", no_args_is_help=True)

Target = Annotated[str | None, typer.Option(help="Riva server to use, host:port. Default: one is started.")]
Folder = Annotated[
    Path, typer.Argument(help="Folder of recordings with texts, or LibriSpeech.", exists=True, file_okay=False)
]
SCRIPTED: Mapping[str, str] = {"SPEECH_ASR_ENGINE": "scripted", "SPEECH_TTS_ENGINE": "tone", "TONE_FIRST_CHUNK_MS": "0"}
_QUIET = {"SPEECH_LOG_LEVEL": "ERROR"}


@measurement(app, gateway=False, judged=True)
async def quality(
    folder: Folder,
    engine: Annotated[str, typer.Option(help="Engine of the server and of the thresholds.")] = "moonshine",
    target: Target = None,
    live: Annotated[bool, typer.Option(help="Send live streams in real time instead of whole recordings.")] = False,
    alone: Annotated[bool, typer.Option(help="Compare with the engine without a server. Not with --target.")] = True,
    words_worse: Annotated[
        int, typer.Option(min=0, help="More wrong words than of the engine alone that pass.")
    ] = WORDS_MORE_WRONG,
    at_once: Annotated[int, typer.Option(min=1, help="Number of recordings at the same time.")] = 1,
    limit: Annotated[int, typer.Option(min=0, help="Number of recordings to use. 0 = all.")] = 0,
    most_wrong: Annotated[
        list[str] | None,
        typer.Option(metavar="[CATEGORY=]RATE", help="Largest word error rate that passes. May be repeated."),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the recordings.")] = "en-US",
    categories: Annotated[
        bool, typer.Option("--categories", help="Add versions with noise, telephone ..., a long one, and no speech.")
    ] = False,
    seed: Seed = 1,
    out: Annotated[Path | None, typer.Option(help="File for the JSON report, in addition to stdout.")] = None,
) -> Report:
    """Measure word errors, times and CPU by recording and category. Exit status 1 = not good enough.

    The engine's settings (PARAKEET_MODEL_PATH and the like) are taken from the environment.
    """
    try:
        limits = thresholds(engine, most_wrong or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--most-wrong") from None
    with tempfile.TemporaryDirectory(prefix="voice-quality-") as made:
        recordings = corpus(folder)
        chosen = recordings[:limit] if limit else recordings
        if categories:
            write_categories(chosen, Path(made), seed)
            chosen = corpus(Path(made))
        engines = {"SPEECH_ASR_ENGINE": engine, "SPEECH_TTS_ENGINE": "tone"}
        settings = {**engine_settings(os.environ), **engines, **_QUIET}
        by_itself = await recognise_without_server(chosen, settings, language) if alone and target is None else None
        async with speech_server(settings, target, START_WITHIN_S) as server:
            run = await recognise_by_category(server, chosen, live=live, at_once=at_once, language=language)
        run = replace(run, alone=by_itself)
    found = quality_report.report(run, engine, limits, live=live, words_worse=words_worse)
    if out is not None:
        out.write_text(as_json(found) + "\n", encoding="utf-8")
    return found


@app.command("corpus")
def make_corpus(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Folder for CATEGORY/NAME.wav and NAME.txt.", file_okay=False)],
    seed: Seed = 1,
) -> None:
    """Write the recordings of `quality --categories` for other clients. The same seed gives the same files."""
    try:
        write_categories(corpus(folder), out, seed)
    except (NoSpeech, OSError) as error:
        typer.echo(f"voice-bench: {error}", err=True)
        raise typer.Exit(2) from None


@measurement(app)
async def streams(
    count: Annotated[int, typer.Option(min=1, help="Number of streams at the same time.")] = 100,
    seconds: Annotated[float, typer.Option(min=6, help="Duration of each stream, seconds.")] = 30,
    beyond: Annotated[int, typer.Option(min=0, help="Streams beyond the limit, tried twice.")] = 50,
) -> Report:
    """Run scripted streams in real time: how late are partials, finals, and refusals beyond the limit?"""
    settings = {**SCRIPTED, **_QUIET, "SPEECH_MAX_STREAMS": str(count), "SCRIPT_TRANSCRIPT": streams_run.TRANSCRIPT}
    before, half_way_mb = 0, 0.0
    async with speech_server(settings) as server:
        process = server.process()
        began, cpu_s = time.monotonic(), sum(process.cpu_times()[:2])

        def at_half_time(so_far: streams_run.Lateness) -> None:
            nonlocal before, half_way_mb
            before, half_way_mb = len(so_far.partials), process.memory_info().rss / 2**20

        found = await streams_run.run_streams(server.target, count, seconds, beyond, at_half_time)
        used_s = sum(process.cpu_times()[:2]) - cpu_s
        server_used = streams_report.ServerUsage(
            used_s / (time.monotonic() - began), half_way_mb, process.memory_info().rss / 2**20
        )
    return streams_report.report(count, found, before, server_used)


@measurement(app, "speech-flood")
async def speech_flood(
    kind: Annotated[list[SpeechFlood] | None, typer.Option(help="Kind of flood, repeatable. Default: all.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="Duration of each flood, seconds.")] = 30,
    memory: Annotated[int, typer.Option(min=128, help="Memory limit of the server, MiB.")] = 1536,
) -> Report:
    """Flood a speech server that has limited memory: does it survive, and do its other streams go on?"""
    settings = {**SCRIPTED, "SPEECH_LOG_LEVEL": "ERROR", "SCRIPT_TRANSCRIPT": streams_run.TRANSCRIPT}
    return flood_run.report([await flood_run.flood(settings, one, seconds, memory) for one in kind or SpeechFlood])


@measurement(app, judged=True)
async def fuzz(
    requests: Annotated[int, typer.Option(min=1, help="Number of requests over gRPC, HTTP and WebSocket.")] = 100_000,
    seed: Seed = 1,
) -> Report:
    """Send malformed requests: all are answered, nothing crashes, nothing leaks. Exit status 1 = not so."""
    settings = {**SCRIPTED, "SPEECH_LOG_LEVEL": "ERROR", "SCRIPT_FINAL_DELAY_MS": "0", "SPEECH_IDLE_LIMIT_S": "10"}
    began = time.monotonic()
    async with speech_server(settings) as server:
        outcome = await fuzz_run.fuzz(server, requests, seed)
    return fuzz_report.report(outcome, requests, time.monotonic() - began)
