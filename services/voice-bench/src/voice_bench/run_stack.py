"""`voice-bench run`: how does the stack run until Ctrl-C, and what can be done with it?"""

import asyncio
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from serving.signals import stop_on_signals

from voice_bench import stack_config
from voice_bench.exit_codes import exit_with, to_stderr
from voice_bench.options import Engine, Tts
from voice_bench.process import StackFailed
from voice_bench.stack import Stack, running
from voice_bench.stack_config import RECOGNISER, SYNTHESISER, Part, StackConfig

USUAL_PORT = 50050
"""Where `voice` calls when it is not told otherwise."""
USUAL_WEB_PORT = 8090


def run(engine: Engine = RECOGNISER, tts: Tts = SYNTHESISER) -> None:
    """Keep speech server, language model and gateway running until Ctrl-C."""
    exit_with(_run(stack_config.with_engines(stack_config.embedded(), engine, tts)))


async def _run(config: StackConfig) -> bool:
    """Ctrl-C and SIGTERM are the usual end, so they are no failure."""
    console, stop = Console(highlight=False), stop_on_signals()
    serving = asyncio.create_task(_serve(console, config), name="serve")
    asked = asyncio.create_task(stop.drain.wait(), name="wait for Ctrl-C")
    try:
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        console.print("stopping")
    except StackFailed as failure:
        to_stderr(str(failure))
        return False
    finally:
        for task in (serving, asked):
            task.cancel()
        await asyncio.gather(serving, asked, return_exceptions=True)
    return True


async def _serve(console: Console, config: StackConfig) -> None:
    config = _at_the_usual_ports(stack_config.with_environment(config))
    console.print("starting speech server, language model and gateway (Ctrl-C ends them)")
    if config.may_fetch and config.runs(Part.SPEECH):
        console.print("models that are not on this machine yet are downloaded first, which may take minutes")
    async with running(config) as stack:
        console.print(f"{_addresses(stack)}\n{_next(stack)}", soft_wrap=True)
        await stack.until_a_part_dies()


def _at_the_usual_ports(config: StackConfig) -> StackConfig:
    """Those that nobody has; free ones otherwise."""
    usual = {"GATEWAY_PORT": USUAL_PORT, "GATEWAY_WEB_PORT": USUAL_WEB_PORT}
    free = {name: str(port) for name, port in usual.items() if _is_free(port)}
    return replace(config, gateway={**free, **config.gateway})


def _is_free(port: int) -> bool:
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _addresses(stack: Stack) -> str:
    addresses = {Part.GATEWAY: stack.target, Part.SPEECH: stack.speech_target, Part.LLM: stack.llm_base_url}
    lines = []
    for part, address in addresses.items():
        if stack.config.runs(part):
            lines.append(f"  {part.value:<14} {address:<28} health and metrics: {stack.http_url(part)}")
        else:
            lines.append(f"  {part.value:<14} {address:<28} (runs elsewhere)")
    return "\n".join([*lines, f"  logs           {stack.folder}"])


def _next(stack: Stack) -> str:
    voice, target = _command("voice"), stack.target
    option = "" if target.endswith(f":{USUAL_PORT}") else f" --target {target}"
    page = (
        f"Open http://localhost:{stack.port(Part.GATEWAY, 'web')}/ in a browser. "
        if Part.GATEWAY in stack.servers
        else ""
    )
    return (
        f"{page}Try, in another terminal:\n"
        f"  {voice} talk{option}                     with microphone and loudspeaker\n"
        f"  {voice} say question.wav{option}         with a recording\n"
        f'  {voice} ask "tell me a joke"{option}     with typed words\n'
        "With a real model: LLM_BASE_URL=http://HOST:PORT/v1 LLM_MODEL=NAME make run (and LLM_API_KEY, if it wants one)"
    )


def _command(name: str) -> str:
    """As it can be typed in this folder: it is on the PATH only of who has put this environment there."""
    found = shutil.which(name)
    beside = Path(sys.executable).with_name(name)
    if found and Path(found).resolve() == beside.resolve():
        return name
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)
