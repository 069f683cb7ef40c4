#!/usr/bin/env python3
"""Takes the pictures of the web page in the docs, from a conversation with the embedded stack: screenshots.py [FOLDER]

Wants Chromium (scripts/browser.sh) and eSpeak NG (make .venv/.espeak). A synthesised voice asks; nothing is touched up.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from pcm import write_wav
from playwright.async_api import Browser, Page, async_playwright
from voice_bench.demo.script import RATE_HZ, spoken
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, embedded

FOLDER = Path(__file__).parents[1] / "docs" / "images"
QUESTIONS = ("What is the weather like today?", "Can you count to twenty for me?", "Wait, what is seven times eight?")
PAUSES_S = (5.0, 3.5, 6.0)
_LIMIT_MS = 60_000
_FLAGS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_PICTURES = (
    ("web-page.png", {"viewport": {"width": 1120, "height": 760}, "color_scheme": "light"}),
    ("web-page-dark.png", {"viewport": {"width": 1120, "height": 760}, "color_scheme": "dark"}),
    ("web-page-phone.png", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True}),
    (
        "web-page-phone-light.png",
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "is_mobile": True},
    ),
)


async def question_audio(stack: Stack, path: Path) -> None:
    """What the microphone hears: each question, and a pause after it."""
    pieces = [bytes(RATE_HZ)]
    for line, pause_s in zip(await spoken(stack.speech_target, list(QUESTIONS), 0), PAUSES_S, strict=True):
        pieces += [line.clip.pcm16, bytes(2 * round(pause_s * RATE_HZ))]
    write_wav(path, pieces, RATE_HZ)


async def picture(browser: Browser, url: str, path: Path, how: dict[str, object]) -> None:
    """Hold the conversation, and take the picture while the last answer is being spoken."""
    context = await browser.new_context(device_scale_factor=1.5, reduced_motion="reduce", **how)  # type: ignore[arg-type]
    page: Page = await context.new_page()
    await page.goto(url)
    await page.get_by_role("button", name="Start talking").click()
    await page.locator(".user .words", has_text="seven").wait_for(timeout=_LIMIT_MS)
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
                await picture(browser, url, folder / name, dict(how))
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    chosen: Path = parser.parse_args().folder
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(chosen))
