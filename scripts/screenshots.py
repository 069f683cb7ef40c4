#!/usr/bin/env python3
"""Takes the pictures of the web page in the docs, from a conversation with the embedded stack: screenshots.py [FOLDER]

Wants Chromium (scripts/browser.sh) and eSpeak NG (make .venv/.espeak). A synthesised voice asks; nothing is touched up.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from pcm import write_wav
from playwright.async_api import Browser, async_playwright
from voice_bench.demo.script import RATE_HZ, spoken
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, embedded

FOLDER = Path(__file__).parents[1] / "docs" / "images"
QUESTIONS = ("What is the weather like today?", "Can you count to twenty for me?", "What is seven times eight?")
PAUSES_S = (6.5, 4.0, 8.0)
_LIMIT_MS = 60_000
_FLAGS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_DESKTOP: dict[str, Any] = {"viewport": {"width": 1040, "height": 720}}
_PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "device_scale_factor": 1.5}
_PICTURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("web-page.png", {**_DESKTOP, "color_scheme": "light"}),
    ("web-page-dark.png", {**_DESKTOP, "color_scheme": "dark"}),
    ("web-page-phone.png", {**_PHONE, "color_scheme": "dark"}),
    ("web-page-phone-light.png", {**_PHONE, "color_scheme": "light"}),
)


async def question_audio(stack: Stack, path: Path) -> None:
    """What the microphone hears: each question, and a pause after it."""
    pieces = [bytes(RATE_HZ)]
    for line, pause_s in zip(await spoken(stack.speech_target, list(QUESTIONS), 0), PAUSES_S, strict=True):
        pieces += [line.clip.pcm16, bytes(2 * round(pause_s * RATE_HZ))]
    write_wav(path, [b"".join(pieces)], RATE_HZ)


async def picture(browser: Browser, url: str, path: Path, how: dict[str, Any]) -> None:
    """Hold the conversation, and take the picture while the last answer is being spoken."""
    context = await browser.new_context(reduced_motion="reduce", **how)
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_role("button", name="Start talking").click()
    await page.locator(".reply .heard", has_text="fifty").last.wait_for(timeout=_LIMIT_MS)
    await page.screenshot(path=path, scale="device")
    await context.close()


async def main(folder: Path) -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        microphone = Path(scratch) / "heard.wav"
        flags = [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
        async with running(embedded()) as stack, async_playwright() as playwright:
            await question_audio(stack, microphone)
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
            for name, how in _PICTURES:
                url = f"http://127.0.0.1:{stack.port(Part.GATEWAY, 'web')}/"
                await picture(browser, url, folder / name, how)
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    chosen: Path = parser.parse_args().folder
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(chosen))
