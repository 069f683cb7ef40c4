"""Can everybody use the page? By keyboard and screen reader, light and dark, with a token, without a microphone."""

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from voice_bench.measure.tcp_relay import TcpRelay
from voice_bench.stack_config import Part

from .conftest import PHONE, Stand

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def found_by_axe(page: Page) -> list[str]:
    """What axe-core finds wrong, as "rule: element"."""
    results = await Axe().run(page)
    return [f"{rule['id']}: {node['html']}" for rule in results.response["violations"] for node in rule["nodes"]]


async def test_axe_finds_nothing_wrong_in_either_theme_and_the_chosen_theme_stays(stand: Stand) -> None:
    async with stand.visit(viewport=PHONE, color_scheme="light", reduced_motion="reduce") as visitor:
        page, ground = visitor.page, "getComputedStyle(document.body).backgroundColor"
        assert await found_by_axe(page) == []
        light = await page.evaluate(ground)
        await visitor.types("What is two plus two?")
        await visitor.sees(".reply .heard", "four")
        await page.locator(".timing summary").click()
        await page.emulate_media(color_scheme="dark")
        dark = await page.evaluate(ground)
        assert dark != light
        assert await found_by_axe(page) == []
        await page.get_by_role("button", name="Settings").click()
        assert await found_by_axe(page) == []
        await page.get_by_label("Colours").select_option("light")
        assert await page.evaluate(ground) == light
        assert await found_by_axe(page) == []
        await page.reload()
        assert await page.evaluate(ground) == light


async def test_the_keyboard_reaches_everything_in_the_order_of_the_page(stand: Stand) -> None:
    async with stand.visit() as visitor:
        reached = []
        for _ in range(5):
            await visitor.page.keyboard.press("Tab")
            reached.append(await visitor.page.evaluate("document.activeElement.innerText || document.activeElement.id"))
        assert reached == ["Go to the text field", "Settings", "Start talking", "words", "Send"]
        await visitor.page.get_by_role("button", name="Settings").press("Enter")
        await expect(visitor.page.get_by_role("dialog", name="Settings")).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        await expect(visitor.page.get_by_role("dialog", name="Settings")).to_be_hidden()
        await expect(visitor.page.get_by_role("button", name="Settings")).to_be_focused()


async def test_a_gateway_that_asks_for_a_token_gets_the_one_that_is_entered(stand: Stand, guarded: str) -> None:
    async with stand.visit(guarded) as visitor:
        dialog = visitor.page.get_by_role("dialog", name="This gateway asks for a token")
        await visitor.types("What is two plus two?")
        for token in ("wrong", "right-token+/="):
            await expect(dialog).to_be_visible()
            await dialog.get_by_role("textbox").fill(token)
            await visitor.page.keyboard.press("Enter")
        await visitor.sees("#link-text", "Connected")
        await expect(dialog).to_be_hidden()
        await visitor.types("What is two plus two?")
        await visitor.sees(".reply .heard", "four")
        assert await visitor.page.evaluate("[Object.values(sessionStorage), Object.values(localStorage)]") == [
            ["right-token+/="],
            [],
        ]


async def test_who_can_not_reach_the_gateway_any_more_is_told_what_to_do(stand: Stand) -> None:
    async with (
        TcpRelay(stand.stack.port(Part.GATEWAY, "web")) as relay,
        stand.visit(f"http://127.0.0.1:{relay.port}") as visitor,
    ):
        relay.behind = None
        await visitor.types("Hello?")
        await visitor.sees("#alert", "The gateway can't be reached")
        await visitor.sees("#link-text", "Not connected")
        await expect(visitor.page.get_by_role("button", name="Start talking")).to_be_enabled()


async def test_a_microphone_that_is_refused_leaves_a_sentence_and_the_text_field(stand: Stand) -> None:
    async with stand.visit() as visitor:
        refuse = "async () => { throw new DOMException('no', 'NotAllowedError'); }"
        await visitor.page.evaluate(f"void (navigator.mediaDevices.getUserMedia = {refuse})")
        await visitor.page.get_by_role("button", name="Start talking").click()
        await visitor.sees("#alert", "Allow it in the address bar, or type instead")
        await visitor.types("What is two plus two?")
        await visitor.sees(".reply .heard", "four")


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("right-token+/=\n", encoding="utf-8")
    return file
