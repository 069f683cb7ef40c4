"""What is said of an answer, shown and remembered, when it is more than words?"""

import time

import pytest
from fake_llm import Answer
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


@pytest.mark.parametrize(
    ("answer", "spoken", "kept"),
    [
        ("<think> The user greets. Hm. </think> Hello there.", ["Hello there."], "Hello there."),
        ("<thinking>Hm. Well.</thinking>\n\nHello there. <|eot_id|>", ["Hello there."], "Hello there."),
        ("I greet them. Then I ask. </think> Hello there.", ["Hello there."], "Hello there."),
        ("Great 😊 to see [our site](https://x.org/a) !", ["Great to see our site !"], None),
        ("Give $5. Press # then *.", ["Give 5 dollars.", "Press pound then star."], "Give $5. Press # then *."),
    ],
)  # fmt: skip
async def test_only_what_is_meant_for_ears_is_spoken_shown_and_remembered(
    answer: str, spoken: list[str], kept: str | None
) -> None:
    async with lab(then_works=False) as there:
        there.llm.answers.append(Answer(answer))
        caller = await there.call()
        await caller.type("Hello.")
        over = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        heard = [phrase.text for phrase in there.tts.spoken]
        assert heard[-len(spoken) :] == spoken
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat[1] == ("assistant", over.text)
        if kept is not None:
            assert over.text == kept
        assert "think" not in over.text


@pytest.mark.parametrize("answer", [" \n", "👍", "...", "<think>Hm. It never ends.", "<|eot_id|>"])
async def test_an_answer_without_words_is_an_error_and_leaves_no_trace(answer: str) -> None:
    async with lab(then_works=False, llm_apology="none") as there:
        there.llm.answers.append(Answer(answer))
        caller = await there.call()
        await caller.type("Hello.")
        error = await caller.error(pb.Error.LLM_BROKEN)
        assert error.message == "the language model answered with no text; ask again"
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == ""
        await caller.type("Once more.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat == [("user", "Hello.\nOnce more.")]


async def test_whole_words_leave_in_time_when_the_model_is_slow_to_end_its_phrase() -> None:
    async with lab(then_works=False, tts_phrase_wait_s=0.2) as there:
        there.llm.answers.append(Answer("One two three", then="hang"))
        caller = await there.call()
        began = time.monotonic()
        await caller.type("Hello.")
        assert (await there.tts.phrase(1)).text == "One two three"
        assert 0.2 <= time.monotonic() - began < 2


async def test_of_a_model_that_thinks_first_nothing_is_said_before_its_closing_tag_but_what_we_say() -> None:
    async with lab(then_works=False, llm_thinks_first=True, llm_apology="Sorry.", greeting="Good day.") as there:
        there.llm.answers += [Answer("I greet. Then ask. </think> Hello there."), Answer("I greet. Then", then="die")]
        caller = await there.call()
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        for n in (2, 3):
            await caller.type("Hello.")
            await caller.turn(TurnEvent.REPLY_ENDED, n)
        assert [phrase.text for phrase in there.tts.spoken] == ["Good day.", "Hello there.", "Sorry."]
