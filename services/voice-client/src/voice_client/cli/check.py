"""`voice check`: does a gateway hold a spoken conversation?"""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from voice_client.check import check as round_trip
from voice_client.cli import common_options
from voice_client.cli.output import write_line
from voice_client.cli.runner import failure_sentence, run, stderr
from voice_client.errors import VoiceError
from voice_client.options import CallOptions

DEFAULT_PORT = 50050


@common_options.with_call_options("system_prompt")
def check(
    host: Annotated[str, typer.Option("--host", help="Host of the gateway, instead of --target.")] = "",
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of the gateway, with --host.")
    ] = DEFAULT_PORT,
    target: common_options.Target = common_options.DEFAULT_TARGET,
    timeout: common_options.Timeout = common_options.PATIENCE_S,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Let the gateway speak a question, then call it and play that question: it must understand and answer.

    Exit status: 0 = it did; 1 = it did not, and the reason is printed.
    """
    run(_check(f"{host}:{port}" if host else target, options, timeout, as_json=as_json))


async def _check(target: str, options: CallOptions, patience_s: float, *, as_json: bool) -> bool:
    began_s = asyncio.get_running_loop().time()
    try:
        checked = await round_trip(target, options, patience_s)
    except VoiceError as error:
        if as_json:
            write_line({"event": "check", "ok": False, "kind": type(error).__name__, "message": str(error)})
        stderr.print(failure_sentence(error))
        return False
    took_s = asyncio.get_running_loop().time() - began_s
    if as_json:
        write_line({"event": "check", "ok": True, **asdict(checked), "seconds": took_s})
        return True
    after = f" {checked.voice_to_voice_s:.2f} s after the question" if checked.voice_to_voice_s is not None else ""
    sentence = f'{target} heard "{checked.heard}" and answered "{checked.reply}"{after}'
    typer.echo(f"{sentence}; the check took {took_s:.1f} s")
    return True
