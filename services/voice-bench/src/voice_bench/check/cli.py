"""Which checks can be asked for? `voice-bench riva-check | production-check`: exit 0 = fit, 1 = not, 2 = bad usage."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pcm import Clip, read_wav
from rich.console import Console
from voice_client import CallOptions, VoiceError
from voice_client.cli import common_options

from voice_bench.check import production, riva
from voice_bench.check.objectives import Finding, Objectives, judge

stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout.")]
Ca = Annotated[
    Path | None, typer.Option("--ca", exists=True, dir_okay=False, help="PEM file of the authority. Turns TLS on.")
]
TlsOn = Annotated[bool, typer.Option("--tls", help="Use TLS with the authorities that gRPC brings.")]
Wav = Annotated[Path | None, typer.Option("--wav", exists=True, dir_okay=False, help="WAV file with speech.")]


class Needs(Enum):
    """What an address must serve."""

    ASR = "asr"
    TTS = "tts"
    BOTH = "both"
    ANY = "any"


def riva_check(
    target: Annotated[
        str, typer.Option("--target", envvar="RIVA_TARGET", help="Riva server, host:port.")
    ] = "localhost:50051",
    wav: Wav = None,
    needs: Annotated[Needs, typer.Option(help="What the server must offer.")] = Needs.ANY,
    language: Annotated[str, typer.Option(help="Language of --wav, such as en-US.")] = "en-US",
    model: Annotated[str, typer.Option(help="ASR model. Empty: the server chooses.")] = "",
    tls: TlsOn = False,
    ca: Ca = None,
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the server to become ready.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Print what a Riva server offers, and let it transcribe a recording."""
    clip = _clip(wav)

    async def check() -> None:
        async with riva.channel(target, tls=tls, ca=ca) as channel:
            await riva.until_ready(channel, target, wait)
            offer = await riva.offer(channel, wait)
            words = await riva.transcribe(channel, clip, language, model, 30.0) if clip else None
        _show_offer(target, offer, words, as_json=as_json)
        missing = _missing(offer, needs)
        if missing:
            raise riva.RivaFailed(f"{target} is ready but lists no {missing}; is that model loaded?")
        if words == "":
            raise riva.RivaFailed(f"{target} recognised no words in {wav}; is there speech in it?")

    _run(check())


@common_options.with_call_options("language", "voice", "system_prompt")
def production_check(
    target: Annotated[str, typer.Option("--target", envvar="VOICE_TARGET", help="Address of the gateway, host:port.")],
    metrics: Annotated[list[str], typer.Option("--metrics", help="URL of /metrics. Once for each gateway pod.")],
    riva_at: Annotated[list[str], typer.Option("--riva", help="ASR and TTS, host:port. Once for each.")],
    llm: Annotated[str, typer.Option("--llm", envvar="LLM_BASE_URL", help="Base URL of the model server, with /v1.")],
    calls: Annotated[int, typer.Option(min=1, envvar="CHECK_CALLS", help="Number of spoken calls.")] = 20,
    at_once: Annotated[int, typer.Option(min=1, envvar="CHECK_AT_ONCE", help="Number of calls at the same time.")] = 2,
    p95: Annotated[
        float, typer.Option(min=0.001, envvar="CHECK_P95_S", help="Largest p95 of the response latency, seconds.")
    ] = 1.2,
    errors: Annotated[
        float, typer.Option(min=0, max=1, envvar="CHECK_ERRORS", help="Share of failures that passes.")
    ] = 0.01,
    plaintext: Annotated[bool, typer.Option("--plaintext", help="Accept calls without TLS.")] = False,
    wav: Wav = None,
    riva_tls: Annotated[bool, typer.Option("--riva-tls", help="Use TLS towards --riva.")] = False,
    as_json: Json = False,
    *,
    options: CallOptions,
) -> None:
    """Judge a gateway by spoken calls and by its metrics. Never passes with a simulated backend."""
    plan = production.CheckPlan(target, options, metrics, riva_at, llm, riva_tls, calls, at_once, _clip(wav))

    async def check() -> None:
        observed = await production.observe(plan)
        findings = judge(observed, Objectives(p95, errors, tls=not plaintext))
        _show_findings(findings, as_json=as_json)
        if not all(finding.met for finding in findings):
            raise typer.Exit(1)

    _run(check())


def _clip(wav: Path | None) -> Clip | None:
    try:
        return read_wav(wav) if wav else None
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


def _missing(offer: riva.Offer, needs: Needs) -> str:
    lacks_asr, lacks_tts = not offer.asr_models, not offer.voices
    if needs in (Needs.ASR, Needs.BOTH) and lacks_asr:
        return "ASR model"
    if needs in (Needs.TTS, Needs.BOTH) and lacks_tts:
        return "voice"
    return "ASR model and no voice" if lacks_asr and lacks_tts else ""


def _show_offer(target: str, offer: riva.Offer, words: str | None, *, as_json: bool) -> None:
    facts: dict[str, Any] = {"target": target, **asdict(offer), "transcript": words}
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    for name, value in facts.items():
        if value is not None:
            shown = ", ".join(value) or "none" if isinstance(value, tuple) else value
            sys.stdout.write(f"{name.replace('_', ' ')}: {shown}\n")


def _show_findings(findings: list[Finding], *, as_json: bool) -> None:
    met = all(finding.met for finding in findings)
    if as_json:
        sys.stdout.write(json.dumps({"met": met, "findings": [asdict(finding) for finding in findings]}) + "\n")
        return
    for finding in findings:
        sys.stdout.write(f"{'met' if finding.met else 'MISSED':8}{finding.name}: {finding.sentence}\n")
    sys.stdout.write("fit for production\n" if met else "not fit for production\n")


def _run(check: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(check)
    except (production.CheckFailed, riva.RivaFailed, VoiceError) as error:
        stderr.print(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
