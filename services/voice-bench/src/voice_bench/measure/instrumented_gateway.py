"""What does the gateway hold inside? The gateway itself, telling its tasks and objects on SIGUSR1.

Runs `voice_gateway.app.main.serve` as the `voice-gateway` command does. VOICE_BENCH_INSIDE names the file the answer
goes to; VOICE_BENCH_PROFILE, where set, the file a cProfile of the event loop's thread goes to at the end.
"""

import asyncio
import cProfile
import gc
import importlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

import uvloop
from serving import log_format
from serving.settings import BadSettings, read


def main() -> None:
    """Serve until SIGTERM."""
    # Not an import on top: the bench is installed without the gateway, too.
    config = importlib.import_module("voice_gateway.config")
    program = importlib.import_module("voice_gateway.app.main")
    try:
        settings = read(config.Settings)
    except BadSettings as error:
        sys.exit(f"voice-gateway: bad settings: {error}")
    log_format.set_up(settings.log_level, settings.log_format)
    profile = os.environ.get("VOICE_BENCH_PROFILE")
    uvloop.run(_profiled(program.serve(settings), Path(profile)) if profile else _watched(program.serve(settings)))


async def _watched(serving: Awaitable[None]) -> None:
    inside = os.environ.get("VOICE_BENCH_INSIDE")
    if inside:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _tell, Path(inside))
    await serving


async def _profiled(serving: Awaitable[None], file: Path) -> None:
    profile = cProfile.Profile()
    profile.enable()
    try:
        await _watched(serving)
    finally:
        profile.disable()
        profile.dump_stats(file)


def _tell(file: Path) -> None:
    gc.collect()
    names = Counter(_kind(task.get_name()) for task in asyncio.all_tasks())
    content = {"tasks": sum(names.values()), "names": dict(names), "objects": len(gc.get_objects())}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(file)


def _kind(name: str) -> str:
    """Task names without their numbers."""
    return " ".join(word for word in name.split() if not any(sign.isdigit() for sign in word)) or "numbered"


if __name__ == "__main__":
    main()
