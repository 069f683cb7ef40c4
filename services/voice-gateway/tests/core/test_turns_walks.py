"""What is true after every step, whatever happens? Random walks through the turn machine."""

import random
from math import inf

import pytest
from turn_player import STARTED, STOPPED
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Ended, Hearing, Idle, Overlap, Pausing, Speaking, State, Thinking
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Committed,
    CorrectWords,
    Discarded,
    EndCall,
    Ending,
    Event,
    Heard,
    HoldReply,
    Interrupted,
    InterruptReply,
    RecogniserLost,
    ReleaseReply,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    StartReply,
    Tick,
    TimeLow,
    TurnScored,
    Typed,
    WordsLost,
)
from voice_gateway.core.turns import deadline, step

POLICIES = {
    "as it comes": Policy(),
    "drafts": Policy(drafts=True),
    "drafts without end": Policy(drafts=True, draft_tries=10**6, draft_max_speech=inf, draft_slack=inf, greets=True),
    "drafts of slow turns": Policy(drafts=True, end_silence=1.0, idle_after=4.0, detects=False),
    "drafts of words that go on": Policy(
        drafts=True, incomplete_silence=3.0, reading_silence=3.0, learned_silence_max=2.0, learned_silence_min=0.1
    ),
    "drafts, end on final": Policy(drafts=True, end_on_final=True),
    "idle calls end": Policy(idle_after=4.0, idle_tries=3, greets=True, says_goodbye=True),
    "end on final": Policy(end_on_final=True),
    "push-to-talk": Policy(decides=False, idle_after=8.0, idle_tries=10**6),
    "short turns": Policy(max_turn=2.0, max_lag=1.0, greets=True),
    "no progress": Policy(lag_slack=inf, barge_in_after=0.5),
    "replies are heard whole": Policy(protects_replies=True, drafts=True),
    "no patience": Policy(end_silence=0.0, max_silence=0.0, barge_in_after=0.0, lag_slack=0.0, max_lag=0.0),
}
STEPS = 3000


class Walk:
    """One call at random, and the books that must balance after every step of it."""

    def __init__(self, seed: int, policy: Policy) -> None:
        self.random = random.Random(seed)
        self.policy = policy
        self.may_be_lost = seed % 2 == 1
        self.now = 0.0
        self.state: State = Idle(Call(), 0.0)
        self.live: int | None = None
        self.draft: int | None = None
        """The live reply when nobody may hear it yet."""
        self.drafts = 0
        """Of the pause that is going on, or the one before."""
        self.held = False
        self.answered: set[str] = set()
        """Words of the live reply."""
        self.finals: set[str] = set()
        self.owed: set[str] = set()
        """Words of finals that no reply has answered yet."""
        self.partial = ""
        self.words = 0

    def run(self, steps: int) -> None:
        """Walks `steps` facts, or to the end of the call; then lets the caller fall silent."""
        for _ in range(steps):
            self.wait(self.random.choice((0.0, 0.02, 0.1, 0.3, 0.5, 1.0, self.random.expovariate(0.7))))
            self.step(self.fact())
        if getattr(self.state, "protected", False):  # words wait for its end
            self.step(ReplyEnded(self.live or 0))
        for last in (STOPPED, Heard("", False), Committed(), Heard("", False)):
            self.step(last)
        self.wait(self.policy.max_lag + self.policy.max_turn)
        lost = self.state.call.due == Cause.RECOGNISER_LOST.value
        assert not self.owed or lost or isinstance(self.state, Ended), f"never answered: {self.owed}"

    def wait(self, seconds: float) -> None:
        """Lets time pass, with ticks at the deadlines."""
        until = self.now + seconds
        while (due := deadline(self.state, self.policy)) is not None and due < until:
            self.now = due
            self.step(Tick())
        self.now = until

    def fact(self) -> Event:
        """Something that happens; recognisers and shells may be late, wrong and mad."""
        n = self.live or 0
        facts: list[tuple[int, Event]] = [
            (6, STARTED),
            (6, STOPPED),
            (8, self.heard(False)),
            (8, self.heard(True)),
            (2, Heard("", False, 0.0, self.until())),
            (4, ReplyAudible(n)),
            (3, ReplyEnded(n)),
            (1, ReplyAudible(n - 1)),
            (1, ReplyEnded(n - 1)),
            (1, Tick()),
            (3 if not self.policy.decides else 1, Committed()),
            (1, Interrupted()),
            (1, Typed(self.random.choice(("", " ", "typed")))),
            (1, TimeLow()),
            (1, WordsLost()),
            (1, ReplyAsked()),
            (1, Discarded()),
            (3, TurnScored(self.random.random(), self.until())),
            (1 if self.may_be_lost and self.random.random() < 0.03 else 0, RecogniserLost()),
        ]
        return self.random.choices([fact for _, fact in facts], [weight for weight, _ in facts])[0]

    def heard(self, final: bool) -> Heard:
        self.words += 1
        text = self.random.choice((self.partial, f"w{self.words}", f"{self.partial} w{self.words}", " "))
        stability, ending = self.random.choice((0.0, 0.0, 1.0)), self.random.choice(list(Ending))
        return Heard(text, final, stability, self.until(), ending)

    def until(self) -> float:
        return self.random.choice((inf, self.now, self.now - 0.2, self.now - 2.0, self.now + 1.0, 0.0))

    def step(self, event: Event) -> None:
        """One step of the machine, and all that must be true of it."""
        before = self.state
        self.state, actions = step(before, event, self.now, self.policy)
        self.listen(before, event)
        if isinstance(event, ReplyEnded) and event.n == self.live != self.draft:
            self.live = None
        for action in actions:
            self.book(action)
        if isinstance(event, Discarded) and isinstance(before, Hearing | Pausing):
            self.owed.clear()  # they are taken back, and so are those of a draft
        self.check(event, actions)

    def listen(self, before: State, event: Event) -> None:
        """What the words of the caller oblige the machine to."""
        heard = isinstance(before, Speaking) or (isinstance(before, Overlap) and before.audible)
        if heard or isinstance(before, Ended | Idle):
            self.drafts = 0
        if isinstance(event, RecogniserLost) or before.call.due == Cause.RECOGNISER_LOST.value:
            self.owed.clear()  # nobody listens any more
            return
        if isinstance(event, Heard):
            self.partial = "" if event.final else event.text.strip()
            if event.final and not _dropped_by_rule(before):
                said = set(event.text.split())
                self.finals |= said
                self.owed |= said - (self.answered if self.live != self.draft else set())
        gave_up = isinstance(event, Interrupted | ReplyEnded | ReplyAudible)
        if isinstance(before, Overlap) and gave_up and getattr(event, "n", before.reply) == before.reply:
            self.owed -= set(before.kept.split())  # the reply is heard or given up: too late to correct it

    def book(self, action: Action) -> None:
        match action:
            case ReleaseReply(n, words):
                assert n == self.live == self.draft, "only a draft is released"
                assert set(words.casefold().split()) == {word.casefold() for word in self.answered}
                self.draft = None
                self.owed -= set(words.split())
            case StartReply(n, words, draft, cause):
                assert self.live is None, "two live replies"
                assert cause is Cause.ASKED or bool(words) == (cause is Cause.WORDS), "a reply to words needs words"
                self.draft = n if draft else None
                self.drafts += draft
                assert not draft or (self.policy.drafts and self.policy.decides and words)
                assert self.drafts <= self.policy.draft_tries
                self.live, self.held = n, False
                self.answered = set(words.split())
                self.owed -= set() if draft else self.answered
            case RetractReply(n) | InterruptReply(n):
                assert n == self.live
                assert isinstance(action, RetractReply) or n != self.draft, "nobody heard a draft"
                self.live = self.draft = None
                if isinstance(action, RetractReply):
                    self.owed |= self.answered & self.finals
            case HoldReply(n):
                assert (n, self.held) == (self.live, False)
                self.held = True
            case ResumeReply(n):
                assert (n, self.held) == (self.live, True)
                self.held = False
            case CorrectWords(n, told, right):
                assert n in (self.state.call.replies, self.state.call.replies - 1), "a warning may follow at once"
                assert told
                assert right
            case EndCall():
                assert isinstance(self.state, Ended)
                assert self.live is None

    def check(self, event: Event, actions: tuple[Action, ...]) -> None:
        state = self.state
        owner = state.reply if isinstance(state, Thinking | Speaking | Overlap) else None
        if isinstance(state, Hearing | Pausing):
            owner = state.draft
            said = f"{state.words} {state.partial} {state.typed}".casefold().split()
            assert owner is None or set(said) == {word.casefold() for word in self.answered}, "a draft to other words"
        assert self.draft is None or isinstance(state, Hearing | Pausing), "a draft outlives its turn"
        assert owner == self.live, f"{event} left reply {self.live} alive in {state}"
        assert owner in (None, state.call.replies)
        due = deadline(state, self.policy)
        assert due is None or due > self.now, f"{event} left a deadline in the past: {state}"
        numbers = [action.n for action in actions if isinstance(action, StartReply)]
        last = state.call.replies
        assert numbers == list(range(last - len(numbers) + 1, last + 1)), "reply numbers rise by one"
        assert self.live is None or not self.held or isinstance(state, Overlap), "nobody resumed a held reply"


def _dropped_by_rule(state: State) -> bool:
    """The final of a turn that was ended on a partial, whose reply was heard or given up."""
    match state:
        case Ended():
            return True
        case Idle(open=open) | Speaking(open=open) | Overlap(open=open, audible=True):
            return bool(open)
    return False


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", POLICIES)
def test_the_books_balance_on_every_random_walk(name: str, seed: int) -> None:
    Walk(seed, POLICIES[name]).run(STEPS)


def test_the_walks_see_every_state_and_every_order() -> None:
    seen: set[str] = set()

    class Watched(Walk):
        def check(self, event: Event, actions: tuple[Action, ...]) -> None:
            super().check(event, actions)
            seen.update(type(item).__name__ for item in (self.state, *actions))

    Watched(1, Policy(idle_after=0.5, idle_tries=0)).run(STEPS)
    Watched(3, POLICIES["drafts"]).run(STEPS)
    states = {"Idle", "Hearing", "Pausing", "Thinking", "Speaking", "Overlap", "Ended"}
    orders = {"StartReply", "ReleaseReply", "RetractReply", "HoldReply", "ResumeReply", "InterruptReply"}
    orders |= {"CorrectWords", "EndCall"}
    assert seen == states | orders
