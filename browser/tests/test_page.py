"""Does a person hold a conversation at the web page? In a real Chromium, against the embedded stack."""

import pytest
from playwright.async_api import expect
from voice_bench.measure.tcp_relay import TcpRelay
from voice_bench.stack_config import Part

from .conftest import LIMIT_MS, PHONE, Stand

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_SPEECH = "document.querySelector('.reply:last-child .rest')?.textContent.length > 20"
"""A reply is being spoken, and most of it was not heard yet."""


async def test_what_is_spoken_appears_and_is_answered_in_words_and_sound(stand: Stand) -> None:
    stand.will_hear("austen-0930")
    async with stand.visit() as visitor:
        await visitor.page.get_by_role("button", name="Start talking").click()
        await visitor.sees(".user .partial", "e")
        await visitor.sees(".user .words", "amiable himself")
        await visitor.hears()
        await visitor.sees(".reply .heard", "I heard")
        await visitor.sees(".reply .timing strong", "ms")
        assert await visitor.page.locator(".lanes span").count() >= 3
        assert (await visitor.text("#announcer")).startswith("You said:")
        await visitor.page.get_by_role("button", name="End", exact=True).click()
        await visitor.sees("#link-text", "Not connected")
        await visitor.hears_nothing()


async def test_speech_over_an_answer_cuts_it(stand: Stand) -> None:
    async with stand.visit() as visitor:
        await visitor.types("Count to thirty.")
        await visitor.hears()
        await visitor.until("document.querySelector('.reply .heard').textContent.length > 20")
        stand.will_hear("austen-0870", "austen-0880")
        await visitor.page.get_by_role("button", name="Start talking").click()
        await visitor.sees(".reply .cut", "Interrupted")
        assert len(await visitor.text(".reply .heard")) > 3
        assert "thirty" in await visitor.text(".reply s.rest")
        await expect(visitor.page.locator(".entry.user")).to_have_count(2)
        await visitor.page.get_by_role("button", name="Mute").click()
        await visitor.sees("#phase", "muted")


async def test_a_typed_turn_is_answered_without_a_microphone_and_escape_stops_the_answer(stand: Stand) -> None:
    async with stand.visit(viewport=PHONE, permissions=[]) as visitor:
        await visitor.page.keyboard.press("/")
        await visitor.types("What is twelve times twelve?")
        await visitor.sees(".user .words", "What is twelve times twelve?")
        await visitor.sees(".reply .heard", "one hundred forty four")
        await visitor.types("Count to thirty.")
        await visitor.hears()
        await visitor.until(IN_SPEECH)
        await visitor.page.keyboard.press("Escape")
        await visitor.sees(".reply .cut", "Interrupted")
        await visitor.hears_nothing()
        assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_holding_the_space_bar_speaks_and_letting_it_go_ends_the_turn(stand: Stand) -> None:
    stand.will_hear("cards-001")
    async with stand.visit() as visitor:
        await visitor.page.get_by_role("button", name="Settings").click()
        await visitor.page.get_by_label("Hold to talk").check()
        await visitor.page.get_by_role("button", name="Done").click()
        await visitor.page.get_by_role("button", name="Start talking").click()
        await visitor.page.get_by_role("button", name="Hold to talk").wait_for(timeout=LIMIT_MS)
        await visitor.page.keyboard.down("Space")
        await visitor.sees(".user .words", "Ten of clubs")
        await visitor.page.get_by_role("button", name="Let go to send").wait_for(timeout=LIMIT_MS)
        assert await visitor.page.locator(".reply").count() == 0
        await visitor.page.keyboard.up("Space")
        await visitor.sees(".reply .words", "I heard")
        await visitor.hears()


async def test_a_conversation_goes_on_after_its_connection_was_cut(stand: Stand) -> None:
    before = await stand.metric("voice_sessions_resumed_total")
    async with (
        TcpRelay(stand.stack.port(Part.GATEWAY, "web")) as relay,
        stand.visit(f"http://127.0.0.1:{relay.port}") as visitor,
    ):
        await visitor.types("Count to ten.")
        await visitor.hears()
        relay.cut()
        await visitor.sees("#link-text", "coming back")
        await visitor.sees("#link-text", "Connected")
        await visitor.until("!document.querySelector('.reply .rest') && document.querySelector('.reply .heard')")
        assert "ten" in await visitor.text(".reply .heard")
        assert await visitor.page.locator(".reply .cut").count() == 0
    assert await stand.metric("voice_sessions_resumed_total") == before + 1


async def test_the_browser_example_talks_from_an_origin_that_is_allowed(stand: Stand) -> None:
    stand.will_hear("cards-001")
    gateway = stand.url.removeprefix("http://")
    async with stand.visit(stand.examples, f"/08_browser.html?gateway={gateway}") as visitor:
        await visitor.page.get_by_role("button", name="Talk").click()
        await visitor.sees("#said", "you: Ten of clubs")
        await visitor.hears()
