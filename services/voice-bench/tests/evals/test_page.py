"""Does the page show what happened, and is it a page?"""

from pathlib import Path
from xml.etree import ElementTree

from voice_bench.evals.page import page, timeline
from voice_bench.evals.playing import play
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.states import states
from voice_bench.evals.suite import play_one

SCENARIO = Scenario.model_validate(
    {
        "title": "One <b> & two",
        "caller": [{"say": "book a table"}, {"when": "reply heard", "interrupt": True}],
        "expect": {"count": {"turn ended": 7}},
    }
)


def test_the_drawing_holds_words_states_and_events() -> None:
    call = play(SCENARIO)
    texts = [element.text for element in ElementTree.fromstring(timeline(call)).iter() if element.text]
    assert {"book a table", "Hearing", "turn ended", "reply interrupted 1"} <= set(texts)
    assert [name for _, name in states(call)] == ["Idle", "Hearing", "Pausing", "Thinking", "Speaking", "Idle"]


def test_the_page_says_what_is_wrong_and_needs_nothing_else() -> None:
    text = page([play_one(Path("some/file.yaml"), SCENARIO)])
    assert "1 scenarios, 1 failed" in text
    assert "&#x27;turn ended&#x27; comes 1 times, not 7" in text
    assert "One &lt;b&gt; &amp; two" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
