"""What does each fact do in each state of the turn machine? Writes all transitions into docs/turn-taking.md.

python scripts/turn_table.py            write the tables between the two markers
python scripts/turn_table.py --check    say whether they are stale (exit status 1) and write nothing
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Ended, Hearing, Idle, Overlap, Pausing, Speaking, State, Thinking
from voice_gateway.core.turn_types import (
    Action,
    Committed,
    Discarded,
    Event,
    Heard,
    Interrupted,
    RecogniserLost,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    SpeechStarted,
    SpeechStopped,
    StartReply,
    Tick,
    TimeLow,
    TurnScored,
    Typed,
    WordsLost,
)
from voice_gateway.core.turns import deadline, step

DOCUMENT = Path(__file__).parent.parent / "docs" / "turn-taking.md"
BEGIN, END = "<!-- turn table: begin -->", "<!-- turn table: end -->"

NOW = 100.0
CALL = Call(replies=3, heard_until=NOW, heard_at=NOW)
DRAFTED = Call(replies=3, drafts=3, heard_until=NOW, heard_at=NOW)
ASKED = Call(replies=3, tries=2, heard_until=NOW, heard_at=NOW)
QUIET = Call(replies=3, heard_until=99.8, heard_at=NOW)
DECIDES = Policy(idle_after=30.0, drafts=True, draft_tries=3)
PUSH_TO_TALK = Policy(idle_after=30.0, decides=False)

SAMPLES: dict[type[State], dict[str, State]] = {
    Idle: {
        "nothing to come": Idle(CALL, 99.9),
        "a final still to come": Idle(CALL, 99.9, "one"),
        "asked often enough": Idle(ASKED, 99.9),
    },
    Hearing: {
        "nothing said": Hearing(CALL, 95.0),
        "a partial": Hearing(CALL, 95.0, "", "one", wordless_since=99.0),
        "a final": Hearing(CALL, 95.0, "one", "", 99.9, wordless_since=99.0),
        "a draft to a partial": Hearing(CALL, 95.0, "", "one", 99.9, draft=3, wordless_since=99.0),
    },
    Pausing: {
        "nothing said": Pausing(CALL, 99.9, 95.0),
        "a partial": Pausing(DRAFTED, 99.0, 95.0, "", "one"),
        "a final": Pausing(DRAFTED, 99.9, 95.0, "one", "", 99.8),
        "a partial, committed": Pausing(DRAFTED, 99.9, 95.0, "", "one", committed=True),
        "a draft to a partial": Pausing(CALL, 99.9, 95.0, "", "one", draft=3),
        "a draft to a final": Pausing(CALL, 99.9, 95.0, "one", "", 99.8, draft=3),
    },
    Thinking: {
        "ended on a final": Thinking(CALL, 3, "one"),
        "ended on a partial": Thinking(CALL, 3, "", "one"),
        "protected": Thinking(CALL, 3, "", protected=True),
    },
    Speaking: {
        "ended on a final": Speaking(CALL, 3),
        "ended on a partial": Speaking(CALL, 3, "one"),
        "protected": Speaking(CALL, 3, protected=True),
    },
    Overlap: {
        "inaudible": Overlap(CALL, 3, 99.9, False, "one", held_at=99.9),
        "inaudible, a new partial": Overlap(CALL, 3, 99.9, False, "one", partial="two", held_at=99.9),
        "inaudible, ended on a partial": Overlap(CALL, 3, 99.9, False, "", "one", held_at=99.9),
        "audible": Overlap(CALL, 3, 99.9, True, held_at=99.9),
        "audible, ended on a partial": Overlap(CALL, 3, 99.9, True, "", "one", held_at=99.9),
        "audible, a new partial": Overlap(CALL, 3, 99.9, True, partial="two", held_at=99.9),
        "audible, quiet": Overlap(QUIET, 3, 99.0, True, held_at=99.0, quiet_since=99.9),
        "audible, quiet, a backchannel": Overlap(QUIET, 3, 99.0, True, held_at=99.0, quiet_since=99.9, dismissed=True),
        "protected, a final": Overlap(CALL, 3, 99.0, True, words="two", quiet_since=99.9, protected=True),
    },
    Ended: {"": Ended(CALL, "idle")},
}

FACTS: dict[str, Event | None] = {
    "speech started": SpeechStarted(),
    "speech stopped": SpeechStopped(),
    "a partial": Heard("two", False),
    "a final": Heard("two", True),
    "a final, the same words": Heard("One.", True),
    "a final, no words": Heard("", True),
    "a backchannel": Heard("mhm", True, backchannel=True),
    "echo": Heard("one", True, echo=True),
    "progress": Heard("", False),
    "scored as over": TurnScored(0.9, NOW),
    "reply audible": ReplyAudible(3),
    "reply ended": ReplyEnded(3),
    "committed": Committed(),
    "interrupted": Interrupted(),
    "typed": Typed("three"),
    "a reply is asked for": ReplyAsked(),
    "discarded": Discarded(),
    "time low": TimeLow(),
    "words lost": WordsLost(),
    "recogniser lost": RecogniserLost(),
    "deadline": None,
}


def outcome(state: State, fact: Event | None, policy: Policy) -> tuple[str, str] | None:
    """The next state and the orders; None = the state stays and nothing is ordered. `fact` None = the deadline."""
    now = NOW
    if fact is None:
        due = deadline(state, policy)
        if due is None:
            return None
        fact, now = Tick(), max(due, NOW)
    after, actions = step(state, fact, now, policy)
    if type(after) is type(state) and not actions:
        return None
    return type(after).__name__, ", ".join(_named(action) for action in actions)


def _named(action: Action) -> str:
    return f"`{type(action).__name__}`" + (" (draft)" if isinstance(action, StartReply) and action.draft else "")


def rows(policy: Policy) -> Iterator[tuple[str, str, str, str, str]]:
    """State, fact, the samples of the state that have this outcome, next state, orders."""
    for kind, samples in SAMPLES.items():
        for label, fact in FACTS.items():
            found: dict[tuple[str, str], list[str]] = {}
            for when, state in samples.items():
                result = outcome(state, fact, policy)
                if result is not None:
                    found.setdefault(result, []).append(when)
            for (after, orders), whens in found.items():
                when = "" if len(whens) == len(samples) else "; ".join(whens)
                yield kind.__name__, label, when, after, orders


def tables() -> str:
    """Both tables; the second holds only what is different."""
    decides, push = list(rows(DECIDES)), list(rows(PUSH_TO_TALK))
    pairs = list(dict.fromkeys(row[:2] for row in decides + push))
    changed = {pair for pair in pairs if _of(pair, decides) != _of(pair, push)}
    gone = [f"{state}: {fact}" for state, fact in pairs if not _of((state, fact), push)]
    return "\n".join(
        [
            "Where the machine decides (a fact that has no row changes no state and orders nothing):",
            "",
            *_markdown(decides),
            "",
            "Under push-to-talk these facts do something else:",
            "",
            *_markdown([row for row in push if row[:2] in changed]),
            "",
            f"and these change no state and order nothing: {'; '.join(gone)}.",
        ]
    )


def _of(pair: tuple[str, str], table: list[tuple[str, str, str, str, str]]) -> list[tuple[str, str, str, str, str]]:
    return [row for row in table if row[:2] == pair]


def _markdown(table: list[tuple[str, str, str, str, str]]) -> list[str]:
    head = ("state", "fact", "when", "next state", "orders")
    return [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (head, ("---",) * 5, *table)]


def renewed(text: str) -> str:
    """The document with fresh tables between the markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{DOCUMENT} needs the lines {BEGIN} and {END}; the tables go between them")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the turn tables into docs/turn-taking.md.")
    parser.add_argument("--check", action="store_true", help="only say whether they are stale")
    check = parser.parse_args(arguments).check
    old = DOCUMENT.read_text(encoding="utf-8")
    new = renewed(old)
    if old == new:
        return 0
    if check:
        sys.stderr.write("docs/turn-taking.md is stale: run `python scripts/turn_table.py`\n")
        return 1
    DOCUMENT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
