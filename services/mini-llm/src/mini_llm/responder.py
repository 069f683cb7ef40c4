"""What does the agent answer? A pure function of the conversation and the time."""

from collections.abc import Sequence
from datetime import datetime

from mini_llm.conversation import Conversation
from mini_llm.intent_matching import Meaning, understand
from mini_llm.interrupted_reply import LOOK_BACK
from mini_llm.rulebook import Rulebook, load_rulebook
from mini_llm.skills import SKILLS, Situation, recall_value, shortened
from mini_llm.text_normalisation import normalise


def respond(talk: Conversation, now: datetime) -> str:
    """The answer to the caller's last message; without one, the agent opens the conversation.

    The same conversation at the same time always gives the same answer, which is how the agent knows what it would
    have gone on to say when the history shows that a barge-in cut its reply off.
    """
    return _respond(talk, now, depth=0)


def _respond(talk: Conversation, now: datetime, depth: int) -> str:
    rulebook = load_rulebook()
    index = talk.last_user_index
    if index < 0:
        empty_turn = bool(talk.messages)
        return rulebook.silence[0] if empty_turn else _fill(rulebook.opening, talk, rulebook)
    asked = talk.before(index + 1)
    if not normalise(asked.last_user_text):
        return _rotate(rulebook.silence, len(asked.user_texts) - 1)

    def replay(earlier: Conversation) -> str:
        return _respond(earlier, now, depth + 1) if depth < LOOK_BACK else ""

    situation = Situation(asked, now, replay, rulebook)
    meanings = understand(asked.last_user_text)
    if not meanings:
        misses = sum(not understand(text) for text in asked.user_texts[:-1])
        return _fill(_rotate(rulebook.fallback, misses), asked, rulebook)
    return " ".join(_answer(meaning, situation) for meaning in meanings)


def _answer(meaning: Meaning, situation: Situation) -> str:
    outcome = SKILLS[meaning.intent.skill](situation, meaning)
    earlier = situation.talk.user_texts[:-1]
    times_before = sum(meaning.intent is other.intent for text in earlier for other in understand(text))
    template = _rotate(meaning.intent.answers[outcome.variant], times_before)
    return _fill(template, situation.talk, situation.rulebook, **outcome.fields)


def _fill(template: str, talk: Conversation, rulebook: Rulebook, **fields: str) -> str:
    if "{" not in template:
        return template
    name = recall_value(talk.user_texts, "tell_name") if "{caller}" in template else ""
    return template.format(
        agent=talk.agent_name(rulebook.agent),
        caller=f", {name}" if name else "",
        heard=shortened(talk.last_user_text),
        **fields,
    )


def _rotate(answers: Sequence[str], turn: int) -> str:
    return answers[turn % len(answers)]
