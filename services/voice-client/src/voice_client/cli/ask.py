"""`voice ask`: what does the gateway answer to typed words?"""

from pathlib import Path
from typing import Annotated

import typer

from voice_client.call import connect
from voice_client.cli import common_options
from voice_client.cli.output import call_output, conclude
from voice_client.cli.runner import run, stderr
from voice_client.end_of_call import EndOfCallDetector
from voice_client.errors import VoiceError
from voice_client.file_caller import run_call
from voice_client.interfaces import CallOutput
from voice_client.options import CallOptions

MAX_CHARACTERS = 16384
"""The contract's limit of a typed turn."""


@common_options.with_call_options()
def ask(
    text: Annotated[str, typer.Argument(help="Words of the turn.")],
    target: common_options.Target = common_options.DEFAULT_TARGET,
    out: common_options.Out = None,
    timeout: common_options.Timeout = common_options.PATIENCE_S,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Send a typed turn, wait until the reply has been spoken, and print it."""
    if not text.strip() or len(text) > MAX_CHARACTERS:
        raise typer.BadParameter(f"type 1 to {MAX_CHARACTERS} characters")
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"--out: there is no folder {out.parent}; create it first")
    run(_ask(text, target, options, timeout, out, call_output(as_json=as_json)))


async def _ask(
    text: str, target: str, options: CallOptions, patience_s: float, out: Path | None, output: CallOutput
) -> bool:
    try:
        async with connect(target, options) as call:
            rate_hz = call.started.output.rate_hz
            await call.say(text)
            ending = EndOfCallDetector(typed=True)
            record = await run_call(call, [], on_event=output.event, patience_s=patience_s, end_of_call=ending)
    except VoiceError as error:
        output.failure(error)
        raise
    missing = conclude(output, record, rate_hz, out, typed=True)
    if missing:
        stderr.print("; ".join([missing, *record.troubles]))
    return not missing
