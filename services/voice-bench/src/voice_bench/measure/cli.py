"""Which measurements can be asked for? `voice-bench overhead | preemption | barge-in | asr-faults | soak | ...`."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
import uvloop

from voice_bench.measure import asr_faults as asr_faults_run
from voice_bench.measure import (
    asr_faults_report,
    barge_in_report,
    host_info,
    overhead_report,
    per_call_cost,
    recordings,
    recordings_report,
)
from voice_bench.measure import barge_in as barge_in_run
from voice_bench.measure import flood as flood_run
from voice_bench.measure import gateway_fuzz as fuzz_run
from voice_bench.measure import overhead as overhead_run
from voice_bench.measure import preemption as preemption_run
from voice_bench.measure import soak as soak_run
from voice_bench.measure.asr_faults import Fault
from voice_bench.measure.caller import CallFailed
from voice_bench.measure.caller_audio import speech as callers_speech
from voice_bench.measure.clips import NoSpeech
from voice_bench.measure.flood_client import GatewayFlood
from voice_bench.measure.gateway_process import Kind, simulators
from voice_bench.measure.report import Report, show
from voice_bench.process import StackFailed
from voice_bench.stack_config import embedded

app = typer.Typer(help="Measurements of the gateway.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 when a target is missed.")]
Seed = Annotated[int, typer.Option(help="Seed of the random numbers.")]
Measure: TypeAlias = Callable[..., Coroutine[Any, Any, Report]]


def run_measurement(measure: Measure, *, json: bool, strict: bool, gateway: bool = True) -> None:
    """Measure on a quick loop, where a gateway is measured away from its core; exit 2 = it could not be measured."""
    facts = host_info.facts(gateway=gateway)
    here = host_info.cores(gateway=gateway)[1]
    try:
        with host_info.here_on(here), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = replace(runner.run(measure()), facts=facts)
    except (CallFailed, NoSpeech, StackFailed) as trouble:
        raise _not_measured(str(trouble)) from None
    except BaseExceptionGroup as group:
        known, others = group.split((CallFailed, NoSpeech, StackFailed))
        if known is None or others is not None:
            raise
        raise _not_measured(str(_first(known))) from None
    show(report, json_wanted=json)
    if strict and not report.met:
        raise typer.Exit(1)


def measurement(
    commands: typer.Typer, name: str | None = None, *, gateway: bool = True, judged: bool = False
) -> Callable[[Measure], Measure]:
    """Makes a command of what measures, with --json, and --strict unless a miss is always told (`judged`)."""
    shared = {"json": Json} if judged else {"json": Json, "strict": Strict}

    def decorate(measure: Measure) -> Measure:
        @functools.wraps(measure)
        def command(*, json: bool, strict: bool = True, **options: Any) -> None:
            run_measurement(functools.partial(measure, **options), json=json, strict=strict, gateway=gateway)

        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [one.replace(kind=kind) for one in inspect.signature(measure).parameters.values()]
        parameters += [inspect.Parameter(one, kind, default=False, annotation=shared[one]) for one in shared]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        commands.command(name)(command)
        return measure

    return decorate


@measurement(app)
async def overhead(
    callers: Annotated[str, typer.Option(help="Numbers of calls at the same time, one measurement each.")] = "1,10",
    turns: Annotated[int, typer.Option(min=1, help="Turns of each call.")] = 20,
    memory: Annotated[str, typer.Option(help="Numbers of calls to read memory at. Empty = none.")] = "1,10,20,40",
    chain: Annotated[bool, typer.Option(help="Measure the baseline gateway as well.")] = True,
    realtime: Annotated[
        bool, typer.Option(help="Measure callers of OpenAI's Realtime protocol as well, in the same run.")
    ] = False,
    seed: Seed = 1,
) -> Report:
    """Measure the time, CPU and memory that the gateway adds to a turn, beside the shortest possible gateway."""
    loads, steps = _numbers("--callers", callers), _numbers("--memory", memory)
    clips = await callers_speech()
    found = []
    async with simulators(overhead_run.simulated()) as stack:
        for kind in (Kind.OURS, Kind.BASELINE) if chain else (Kind.OURS,):
            found += [await overhead_run.load(stack, kind, count, turns, clips, seed) for count in loads]
        if realtime:
            for edge in (overhead_run.Edge.GRPC_24_KHZ, overhead_run.Edge.REALTIME):
                found += [await overhead_run.load(stack, Kind.OURS, count, turns, clips, seed, edge) for count in loads]
        grown = await per_call_cost.grow(stack, Kind.OURS, steps, clips) if steps else []
    return overhead_report.report(found, grown)


@measurement(app)
async def preemption(
    callers: Annotated[int, typer.Option(min=1, help="Number of calls at the same time.")] = 1,
    turns: Annotated[int, typer.Option(min=1, help="Turns of each call.")] = 40,
    off: Annotated[bool, typer.Option(help="Measure the same turns without preemption, too.")] = True,
    pauses: Annotated[
        int, typer.Option(min=0, max=5, help="Measure turns with so many pauses in their midst, too; 0 = do not.")
    ] = 0,
    seed: Seed = 1,
) -> Report:
    """Measure from the end of a turn to the first reply audio, with replies begun before the turn is decided."""
    clips = await callers_speech()
    found = [
        await preemption_run.measure(
            preemptive=preemptive, callers=callers, turns=turns, clips=clips, pauses=in_turn, seed=seed
        )
        for in_turn in ((0, pauses) if pauses else (0,))
        for preemptive in ((True, False) if off else (True,))
    ]
    return preemption_run.report(found)


@measurement(app)
async def barge_in(
    times: Annotated[int, typer.Option(min=1, help="Number of interruptions.")] = 200,
    callers: Annotated[int, typer.Option(min=1, help="Number of calls at the same time.")] = 10,
    seed: Seed = 1,
) -> Report:
    """Interrupt replies at random moments: do they stop, how soon, and which words count as heard?"""
    clips = await callers_speech()
    async with simulators(barge_in_run.simulated()) as stack:
        found = await barge_in_run.interrupt(stack, times, min(callers, times), clips, seed)
    return barge_in_report.report(found, times)


@measurement(app)
async def asr_faults(
    kind: Annotated[Fault, typer.Option(help="Fault of one of two recognisers in the middle of a word.")] = Fault.KILL,
    times: Annotated[int, typer.Option(min=1, help="Number of calls on the faulty recogniser.")] = 20,
    seed: Seed = 1,
) -> Report:
    """Kill, stop, disconnect or drain a recogniser in the middle of a word. Counts lost and doubled words and delay."""
    clips = await callers_speech()
    async with simulators(asr_faults_run.simulated()) as stack:
        return asr_faults_report.report(kind, await asr_faults_run.measure_faults(stack, kind, times, clips, seed))


@measurement(app)
async def flood(
    kind: Annotated[list[GatewayFlood] | None, typer.Option(help="Kind of flood, repeatable. Default: all.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="Duration of each flood, seconds.")] = 60,
    memory: Annotated[int, typer.Option(min=128, help="Memory limit of the gateway, MiB.")] = 384,
    seed: Seed = 1,
) -> Report:
    """Flood a gateway that has limited memory: does it survive, and what do its other callers notice?"""
    clips = await callers_speech()
    async with simulators(overhead_run.simulated()) as stack:
        floods = [await flood_run.flood(stack, one, seconds, memory, clips, seed) for one in kind or GatewayFlood]
    return flood_run.report(floods)


@measurement(app)
async def gateway_fuzz(
    messages: Annotated[int, typer.Option(min=6, help="Number of messages, as many over each wire.")] = 200_000,
    seed: Seed = 1,
) -> Report:
    """Send malformed and out-of-order messages over every wire: does anything break, or stay behind?"""
    clips = await callers_speech(0.3, 0.5)
    async with simulators(soak_run.simulated(interrupted=False)) as stack:
        return fuzz_run.report(await fuzz_run.fuzz(stack, messages, clips, seed))


@measurement(app)
async def soak(
    calls: Annotated[int, typer.Option(min=1, help="Number of calls.")] = 1000,
    at_once: Annotated[int, typer.Option(min=1, help="Number of calls at the same time.")] = 8,
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help=f"{soak_run.REPLIES_A_CALL} interrupted replies a call.")
    ] = False,
    seed: Seed = 1,
) -> Report:
    """Make many short calls, or interrupt many replies: does memory stay flat, and is everything released?"""
    one, replies = (soak_run.interrupted_call, soak_run.REPLIES_A_CALL) if interrupt else (soak_run.short_call, 1)
    clips = await callers_speech(0.3, 0.5)
    async with simulators(soak_run.simulated(interrupted=interrupt)) as stack:
        return soak_run.report(await soak_run.soak(stack, calls, at_once, clips, seed, one), calls, replies)


@measurement(app)
async def speech(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder of NAME.wav files, each with its words in NAME.txt.", exists=True, file_okay=False),
    ],
    callers: Annotated[int, typer.Option(min=1, help="Number of calls at the same time in the second pass.")] = 10,
) -> Report:
    """Play recordings through the gateway. Compares word errors with those of the recogniser alone."""
    said = recordings.recordings_in(folder)
    async with simulators(embedded()) as stack:
        alone = {one.name: await recordings.straight(stack, one) for one in said}
        passes = {"one after another": await recordings.through_gateway(stack, said, 1)}
        if callers > 1:
            every = [said[n % len(said)] for n in range(max(callers, len(said)))]
            passes[f"{callers} at once"] = await recordings.through_gateway(stack, every, callers)
    return recordings_report.report(said, alone, passes)


@measurement(app)
async def endpointing(
    folder: Annotated[
        Path, typer.Argument(help="Folder of recordings of speech, NAME.wav.", exists=True, file_okay=False)
    ],
    model: Annotated[bool, typer.Option(help="Judge with Smart Turn, too. Its model is downloaded once.")] = True,
) -> Report:
    """Judge scripted and recorded turns with pauses: which end of a turn cuts callers off, and which is slow?"""
    # The gateway's own code runs here, and may not be installed beside the other measurements.
    from voice_gateway.backends.smart_turn import SmartTurn
    from voice_gateway.backends.smart_turn_model import pull, usual_place

    from voice_bench.measure import endpointing as endpointing_judges
    from voice_bench.measure import endpointing_report, endpointing_run

    scorer = SmartTurn(await asyncio.to_thread(pull, usual_place())) if model else None
    judges = endpointing_judges.judges(model=model)
    async with simulators(embedded()) as stack:
        found = await endpointing_run.timelines(stack, endpointing_run.clips_in(folder))
        judged, cost = await endpointing_run.judge_all(stack, found, judges, scorer)
    return endpointing_report.report(judged, judges, cost)


def _not_measured(sentence: str) -> typer.Exit:
    typer.echo(f"voice-bench: {sentence}", err=True)
    return typer.Exit(2)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = [0]
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"{option} needs numbers from 1 up, separated by commas, such as 1,10")
    return sorted(set(numbers))
