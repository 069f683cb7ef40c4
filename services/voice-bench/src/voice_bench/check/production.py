"""How does a gateway do, with what really stands behind it? Asks the backends who they are, then makes spoken calls."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from pcm import Clip
from voice_client import CallOptions, VoiceError, connect, server_info
from voice_client.call_record import CallRecord
from voice_client.end_of_call import EndOfCallDetector
from voice_client.file_caller import Frame, frames_of, run_call

from voice_bench.check import riva
from voice_bench.check.fake_backends import find_fake_backends
from voice_bench.check.metrics_delta import GatewayCounters, read_counters
from voice_bench.check.objectives import Observations

ASK = "Ask me one short question about the weather."
"""The typed turn whose spoken answer is what our callers then say."""
_HTTP = aiohttp.ClientTimeout(total=10)


class CheckFailed(Exception):
    """Something needed for the check does not answer; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """Whom to ask and how many calls to make."""

    target: str
    options: CallOptions
    metrics: Sequence[str]
    """URLs, one for each gateway pod."""
    rivas: Sequence[str]
    """host:port of ASR and TTS themselves."""
    llm: str
    """Base URL of the model server, with "/v1"."""
    riva_tls: bool = False
    calls: int = 20
    at_once: int = 2
    clip: Clip | None = None
    """What the callers say; None = the gateway's own voice is asked for a question first."""
    patience_s: float = 30.0


async def observe(plan: CheckPlan) -> Observations:
    """Everything; stops before the first call at a fake backend. Raises CheckFailed, RivaFailed, VoiceError."""
    fakes = find_fake_backends(await backend_names(plan))
    before = await scrape(plan.metrics)
    if fakes:
        return Observations(0, (), (), before.since(before), _over_tls(plan), fakes)
    frames = frames_of(plan.clip or await ask_for_question(plan))
    outcomes = await _all_calls(plan, frames)
    after = await scrape(plan.metrics)
    records = [one for one in outcomes if isinstance(one, CallRecord)]
    return Observations(
        calls=plan.calls,
        failed=[one for one in outcomes if isinstance(one, str)],
        responses_s=[
            latency.gateway_response_latency
            for record in records
            for latency in record.latencies
            if latency.gateway_response_latency is not None
        ],
        counters=after.since(before),
        over_tls=_over_tls(plan),
        fake_backends=(),
    )


def _over_tls(plan: CheckPlan) -> bool:
    return plan.options.tls is not None


async def backend_names(plan: CheckPlan) -> list[str]:
    """What the gateway says it uses, and what the backends say of themselves."""
    info = await server_info(plan.target, plan.options)
    found = [info.asr_model, info.llm_model, info.voice]
    for target in plan.rivas:
        async with riva.channel(target, tls=plan.riva_tls, ca=None) as channel:
            await riva.until_ready(channel, target, plan.patience_s)
            offer = await riva.offer(channel, plan.patience_s)
        if not offer.asr_models and not offer.voices:
            raise CheckFailed(f"{target} lists neither models nor voices; is its model loaded?")
        found += [*offer.asr_models, *offer.voices]
    return [name for name in [*found, *await models(plan.llm)] if name]


async def models(base_url: str) -> list[str]:
    """Ids and owners of the models of an OpenAI-compatible server. Raises CheckFailed."""
    url = f"{base_url.rstrip('/')}/models"
    try:
        async with aiohttp.ClientSession(timeout=_HTTP) as http, http.get(url, raise_for_status=True) as answer:
            listed = (await answer.json())["data"]
            return [str(one[key]) for one in listed for key in ("id", "owned_by") if one.get(key)]
    except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        raise CheckFailed(f"{url} lists no models ({error or 'no answer in time'}); check --llm") from error


async def scrape(urls: Sequence[str]) -> GatewayCounters:
    """The sum of all pods' counters. Raises CheckFailed."""
    pages = []
    async with aiohttp.ClientSession(timeout=_HTTP) as http:
        for url in urls:
            try:
                async with http.get(url, raise_for_status=True) as answer:
                    pages.append(await answer.text())
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise CheckFailed(f"{url} can't be read ({error or 'no answer in time'}); check --metrics") from error
    try:
        return read_counters(pages)
    except ValueError as error:
        raise CheckFailed(str(error)) from error


async def ask_for_question(plan: CheckPlan) -> Clip:
    """A question in the gateway's own voice. Raises CheckFailed, VoiceError."""
    async with connect(plan.target, plan.options) as call:
        await call.say(ASK)
        record = await run_call(
            call, [], on_event=lambda _: None, patience_s=plan.patience_s, end_of_call=EndOfCallDetector(typed=True)
        )
        rate_hz = call.started.output.rate_hz
    if not record.audio:
        reasons = "; ".join(error.message for error in record.errors)
        raise CheckFailed(f"the gateway spoke no answer to a typed turn{': ' if reasons else ''}{reasons}")
    return Clip(bytes(record.audio), rate_hz).at(plan.options.input.rate_hz)


async def _all_calls(plan: CheckPlan, frames: list[Frame]) -> list[CallRecord | str]:
    places = asyncio.Semaphore(plan.at_once)

    async def one() -> CallRecord | str:
        async with places:
            return await _call(plan, frames)

    async with asyncio.TaskGroup() as calls:
        tasks = [calls.create_task(one(), name=f"production call {number}") for number in range(plan.calls)]
    return [task.result() for task in tasks]


async def _call(plan: CheckPlan, frames: list[Frame]) -> CallRecord | str:
    """What happened, or the sentence that says why it failed."""
    try:
        async with connect(plan.target, plan.options) as call:
            record = await run_call(
                call, frames, on_event=lambda _: None, patience_s=plan.patience_s, end_of_call=EndOfCallDetector()
            )
    except VoiceError as error:
        return str(error)
    if record.errors:
        return record.errors[0].message
    if not (record.finals and record.reply and record.audio):
        return "no transcript" if not record.finals else "no reply" if not record.reply else "no reply audio"
    return record
