"""A real Chromium in front of the embedded stack, with a microphone that hears a file and an ear at its speaker."""

import asyncio
import shutil
import subprocess
import sys
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, ViewportSize, async_playwright
from serving.signals import Stop
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, embedded
from voice_gateway.app.main import serve
from voice_gateway.app.servers import Ports
from voice_gateway.config import Settings

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or "chromium"
"""Debian's; scripts/browser.sh installs it."""
_FLAGS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_EAR = Path(__file__).with_name("ear.js").read_text(encoding="utf-8")
LIMIT_MS = 40_000
"""Generous: it is only reached by a test that fails."""
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)


def recordings() -> Path:
    """The folder of recorded speech."""
    found = subprocess.run(
        [sys.executable, ROOT / "scripts" / "fetch_recordings.py"], check=True, capture_output=True, text=True
    )
    return Path(found.stdout.splitlines()[-1])


@dataclass
class Visitor:
    """One person at the page."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser's console was told that nobody should see, and what the page's policy forbade."""

    async def types(self, text: str) -> None:
        """A typed turn."""
        await self.page.get_by_label("Write instead of speaking").fill(text)
        await self.page.keyboard.press("Enter")

    async def text(self, selector: str) -> str:
        """What stands there."""
        return await self.page.inner_text(selector)

    async def until(self, expression: str) -> Any:
        """Wait until this is true in the page; its value. (The page forbids Playwright's own way, which is an eval.)"""
        looking = "async () => { let found; while (!(found = LOOK)) await ear.moment(); return found; }"
        async with asyncio.timeout(LIMIT_MS / 1000):
            found = await self.page.evaluate(looking.replace("LOOK", expression))
        return found

    async def sees(self, selector: str, text: str) -> None:
        """Wait until an element of this kind shows the text."""
        await self.page.locator(selector, has_text=text).first.wait_for(timeout=LIMIT_MS)

    async def hears(self) -> None:
        """Wait until sound comes out of the speaker."""
        await self.until("ear.level() > 0.01")

    async def hears_nothing(self) -> None:
        """Wait until no sound came out of the speaker for 0.3 s."""
        await self.until("ear.silentMs() > 300")


@dataclass
class Stand:
    """Where the page is, and what its microphone hears."""

    stack: Stack
    browser: Browser
    microphone: Path
    recordings: Path
    examples: str
    """Where the files of examples/ are served: another origin than the gateway's, which allows it."""

    @property
    def url(self) -> str:
        """The gateway's web port."""
        return f"http://127.0.0.1:{self.stack.port(Part.GATEWAY, 'web')}"

    def will_hear(self, *names: str, pause_s: float = 0.0) -> None:
        """The next microphone that is opened hears these recordings, a pause after each, then silence."""
        with wave.open(str(self.microphone), "wb") as heard:
            for n, name in enumerate(names):
                with wave.open(str(self.recordings / f"{name}.wav"), "rb") as recording:
                    if n == 0:
                        heard.setparams(recording.getparams())
                    heard.writeframes(recording.readframes(recording.getnframes()))
                    heard.writeframes(bytes(2 * round(pause_s * recording.getframerate())))
            heard.writeframes(bytes(2 * 16_000))

    async def metric(self, name: str) -> float:
        """Of the gateway."""
        url = f"{self.stack.http_url(Part.GATEWAY)}/metrics"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            lines = (await answer.text()).splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return float(values.get(name, 0))

    @asynccontextmanager
    async def visit(self, url: str = "", path: str = "/", **context: Any) -> AsyncIterator[Visitor]:
        """Somebody opens the page. At the end nothing may have been complained of."""
        opened = await self.browser.new_context(**{"viewport": WIDE, "base_url": url or self.url, **context})
        try:
            page = await opened.new_page()
            visitor = Visitor(page)
            page.on("console", lambda message: _note(visitor, message.type, message.text))
            page.on("pageerror", lambda error: visitor.complaints.append(f"error: {error}"))
            await page.add_init_script(_EAR)
            await page.goto(path)
            yield visitor
            visitor.complaints += await page.evaluate("ear.violations")
            assert visitor.complaints == []
        finally:
            await opened.close()


def _note(visitor: Visitor, kind: str, text: str) -> None:
    # That a connection was cut or refused is written by the browser itself, wherever a test means it to be.
    if kind in ("error", "warning") and "WebSocket connection to" not in text and "401" not in text:
        visitor.complaints.append(f"{kind}: {text}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stand, None]:
    """The stack, and one browser for all tests."""
    microphone = tmp_path_factory.mktemp("microphone") / "heard.wav"
    flags = [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        launching = asyncio.create_task(playwright.chromium.launch(executable_path=CHROMIUM, args=flags))
        examples = await stack.enter_async_context(served(ROOT / "examples"))
        settings = {"GATEWAY_ALLOWED_ORIGINS": examples}
        servers = await stack.enter_async_context(running(embedded(gateway=settings)))
        browser = await launching
        stack.push_async_callback(browser.close)
        yield Stand(servers, browser, microphone, recordings(), examples)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """The files of a folder, over HTTP; their origin."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(stand: Stand, tokens: Path) -> AsyncGenerator[str, None]:
    """Where a gateway listens that lets in holders of a token only, in front of the same servers."""
    stop, bound, ports = Stop(), asyncio.Event(), list[Ports]()
    host, _, port = stand.stack.speech_target.partition(":")
    settings = Settings(
        gateway_host="127.0.0.1",
        gateway_port=0,
        gateway_http_port=0,
        gateway_web_port=0,
        gateway_drain_s=0.2,
        gateway_tokens_file=tokens,
        riva_host=host,
        riva_port=int(port),
        llm_base_url=stand.stack.llm_base_url,
    )

    def note(found: Ports) -> None:
        ports.append(found)
        bound.set()

    serving = asyncio.create_task(serve(settings, stop, note), name="guarded gateway")
    try:
        async with asyncio.timeout(LIMIT_MS / 1000):
            await bound.wait()
        yield f"http://127.0.0.1:{ports[0].web}"
    finally:
        stop.ask()
        await serving
