"""Was the call as the scenario expects? Each expectation that does not hold becomes one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from voice_bench.evals.matching import fits
from voice_bench.evals.moments import Moment, same_words
from voice_bench.evals.playing import PlayedCall
from voice_bench.evals.scenario import AbsentEvent, Ending, EventPattern, Expectations, ExpectedEvent
from voice_bench.evals.truths import broken_truths

_ROUNDING_S = 0.0005
_END = "call ended"


def judge(call: PlayedCall) -> list[str]:
    """What is wrong with a call; empty = nothing."""
    expect = call.scenario.expect
    found = [call.trouble] if call.trouble else []
    found += _in_order(call.moments, expect.events)
    for absent in expect.absent:
        found += _absent(call.moments, absent)
    found += _counts(call, expect)
    found += _history(call, expect)
    found += _end(call, expect)
    found += _metrics(call.metrics, expect)
    return found + broken_truths(call)


def _in_order(moments: Sequence[Moment], expected: Sequence[ExpectedEvent]) -> list[str]:
    """The first event of the list that does not come, or at a wrong time: those after it are not looked at."""
    at, before_s = 0, 0.0
    for number, one in enumerate(expected, 1):
        place = next((i for i in range(at, len(moments)) if fits(moments[i], one)), None)
        if place is None:
            return [f"event {number}, {described(one)}, does not come after {before_s:.2f} s{_nearest(moments, one)}"]
        moment = moments[place]
        if late := _late(moments, place, one, before_s):
            return [f"event {number}, {described(one)}, {late}"]
        at, before_s = place + 1, moment.at
    return []


def _late(moments: Sequence[Moment], place: int, one: ExpectedEvent, before_s: float) -> str:
    moment, since = moments[place], "the event before it"
    if one.of is not None:
        earlier = [other for other in moments[:place] if other.event == one.of]
        if not earlier:
            return f"comes at {moment.at:.2f} s, and '{one.of}' never before it"
        before_s, since = earlier[-1].at, f"'{one.of}'"
    took = moment.at - before_s
    wrong = (one.within is not None and took > one.within + _ROUNDING_S) or (
        one.no_sooner is not None and took < one.no_sooner - _ROUNDING_S
    )
    limits = [
        f"within {one.within:g} s" if one.within is not None else "",
        f"no sooner than {one.no_sooner:g} s" if one.no_sooner is not None else "",
    ]
    wanted = " and ".join(limit for limit in limits if limit)
    return f"comes at {moment.at:.2f} s, {took:.2f} s after {since}; wanted {wanted}" if wrong else ""


def _nearest(moments: Sequence[Moment], one: ExpectedEvent) -> str:
    """What else of this name came."""
    others = [moment for moment in moments if moment.event == one.event]
    return f"; there is: {'; '.join(str(other) for other in others[:4])}" if others else ""


def _absent(moments: Sequence[Moment], one: AbsentEvent) -> Iterator[str]:
    began = next((moment.at for moment in moments if moment.event == one.after), None) if one.after else 0.0
    ended = next((moment.at for moment in moments if moment.event == one.before), None) if one.before else None
    for moment in moments:
        inside = began is not None and moment.at >= began and (ended is None or moment.at < ended)
        if inside and fits(moment, one):
            yield f"{described(one)} must not come, and comes: {moment}"
            return


def _counts(call: PlayedCall, expect: Expectations) -> Iterator[str]:
    for event, wanted in expect.count.items():
        came = [moment for moment in call.moments if moment.event == event]
        if len(came) != wanted:
            yield f"'{event}' comes {len(came)} times, not {wanted}: {_listed(came)}"
    for event, most in expect.at_most.items():
        came = [moment for moment in call.moments if moment.event == event]
        if len(came) > most:
            yield f"'{event}' comes {len(came)} times, and {most} are the most: {_listed(came)}"


def _listed(moments: Sequence[Moment]) -> str:
    return "; ".join(str(moment) for moment in moments[:6]) or "none"


def _history(call: PlayedCall, expect: Expectations) -> Iterator[str]:
    if expect.history is not None:
        found = [(entry.words, entry.reply, entry.cut) for entry in call.history]
        wanted = [(entry.caller, entry.reply, entry.cut) for entry in expect.history]
        same = len(found) == len(wanted) and all(
            same_words(one[0], other[0]) and same_words(one[1], other[1]) and other[2] in (None, one[2])
            for one, other in zip(found, wanted, strict=True)
        )
        if not same:
            yield f"the history is {_told(found)}, not {_told(wanted)}"
    if expect.heard is not None:
        heard = " ".join(word.text for word in call.heard_words)
        if not same_words(heard, expect.heard):
            yield f'the caller heard "{heard}", not "{expect.heard}"'


def _told(entries: Sequence[tuple[str, str, bool | None]]) -> str:
    return "; ".join(f'"{words}" -> "{reply}"{" (cut)" if cut else ""}' for words, reply, cut in entries) or "empty"


def _end(call: PlayedCall, expect: Expectations) -> Iterator[str]:
    told = [moment.reason for moment in call.moments if moment.event == _END]
    ended = told[-1] if told else next((name for name in get_args(Ending) if _has_ended(call, name)), "")
    if not told and expect.ended != "caller gone":
        yield "the caller is not told that the call has ended"
    elif ended != expect.ended:
        yield f"the call ends with '{ended}', not '{expect.ended}'"
    known = {*expect.failures, *(one.reason for one in expect.events if one.event == "failure")}
    for failure in (moment for moment in call.moments if moment.event == "failure"):
        if failure.reason not in known:
            yield f"a failure that was not expected: {failure}"


def _has_ended(call: PlayedCall, reason: str) -> bool:
    """Whether the gateway counts so."""
    return call.metrics.get(f'voice_sessions_ended_total{{reason="{reason}"}}', 0) > 0


def _metrics(metrics: Mapping[str, float], expect: Expectations) -> Iterator[str]:
    for name, wanted in expect.metrics.items():
        found = metrics.get(name, 0.0)
        if found != wanted:
            yield f"metric {name} is {found:g}, not {wanted:g}"


def described(one: EventPattern) -> str:
    """An event of a scenario in words."""
    about = {
        name: value
        for name in ("text", "contains", "heard", "reply", "turn", "reason")
        if (value := getattr(one, name)) is not None
    }
    details = ", ".join(f"{name} {value!r}" for name, value in about.items())
    return f"'{one.event}'" + (f" ({details})" if details else "")
