"""Which clips share a batch? Literal times, no clock."""

import itertools
import random

from speech_server.core.asr.batching import BUCKETS_S, Job, Kind, Plan, Rules, plan

RULES = Rules(window_s=0.008, most=4, most_padded_s=60, starving_s=1.0)


def job(
    number: int,
    kind: Kind = Kind.FINAL,
    audio_s: float = 3.0,
    arrived: float = 0.0,
    session: int = 0,
    deadline: float = 9,
) -> Job:
    return Job(number, session or number, kind, audio_s, arrived, deadline)


def numbers(made: Plan) -> list[int]:
    return [one.number for one in made.run]


def test_nothing_waits_for_nothing() -> None:
    assert plan([], 1.0, RULES) == Plan()


def test_a_clip_waits_for_company_until_the_window_closes() -> None:
    assert plan([job(1)], 0.002, RULES).wake == 0.008
    assert numbers(plan([job(1)], 0.008, RULES)) == [1]


def test_a_full_batch_does_not_wait() -> None:
    assert numbers(plan([job(n) for n in range(1, 7)], 0.0, RULES)) == [1, 2, 3, 4]


def test_finals_come_before_recordings_and_those_before_partials() -> None:
    waiting = [job(1, Kind.PARTIAL), job(2, Kind.WHOLE), job(3)]
    alone = Rules(most=1)
    assert numbers(plan(waiting, 0.5, alone)) == [3]
    assert numbers(plan(waiting[:2], 0.5, alone)) == [2]


def test_a_recording_that_starves_is_as_urgent_as_a_final() -> None:
    waiting = [job(1, Kind.WHOLE, arrived=0.0), *(job(n, arrived=1.1, audio_s=20) for n in range(2, 5))]
    assert numbers(plan(waiting, 1.2, Rules(most=1, starving_s=1.0)))[0] == 1


def test_only_clips_of_like_length_share_a_batch() -> None:
    waiting = [job(1, audio_s=2.8), job(2, audio_s=9.5), job(3, audio_s=2.1), job(4, audio_s=0.4)]
    assert numbers(plan(waiting, 1.0, RULES)) == [1, 3]


def test_padding_costs_half_at_most_above_half_a_second() -> None:
    for shorter, longer in itertools.pairwise(BUCKETS_S):
        assert longer / shorter <= 2


def test_no_batch_is_longer_than_the_machine_can_bear() -> None:
    waiting = [job(n, audio_s=20) for n in range(1, 5)]
    assert numbers(plan(waiting, 1.0, RULES)) == [1, 2, 3]
    assert numbers(plan([job(1, audio_s=500)], 1.0, RULES)) == [1], "one clip alone always may"


def test_a_session_with_many_clips_takes_turns_with_the_others() -> None:
    greedy = [job(n, Kind.WHOLE, session=100) for n in range(1, 9)]
    waiting = [*greedy, job(10, Kind.WHOLE, arrived=0.001), job(11, Kind.WHOLE, arrived=0.001)]
    assert numbers(plan(waiting, 0.5, RULES)) == [1, 10, 11, 2]


def test_what_is_late_is_given_up_and_never_run() -> None:
    made = plan([job(1, Kind.PARTIAL, deadline=0.3), job(2)], 0.3, RULES)
    assert [one.number for one in made.late] == [1]
    assert numbers(made) == [2]


def test_on_a_cpu_partials_do_not_ride_with_finals() -> None:
    waiting = [job(1), job(2, Kind.PARTIAL), job(3)]
    assert numbers(plan(waiting, 1.0, Rules(mixes_kinds=False))) == [1, 3]
    assert numbers(plan(waiting, 1.0, Rules(mixes_kinds=True))) == [1, 3, 2]


def test_whatever_waits_everything_is_run_or_given_up_in_the_end() -> None:
    rng = random.Random(5)
    for _ in range(200):
        rules = Rules(0.008, rng.randint(1, 8), rng.choice([5.0, 60.0]), 1.0, rng.random() < 0.5)
        waiting = [
            job(
                n, rng.choice(list(Kind)), rng.uniform(0.1, 30), rng.uniform(0, 1), rng.randint(1, 4), rng.uniform(1, 9)
            )
            for n in range(1, rng.randint(2, 20))
        ]
        now, seen = 1.0, 0
        while waiting:
            made = plan(waiting, now, rules)
            assert len(made.run) <= rules.most
            longest_s = max((one.audio_s for one in made.run), default=0.0)
            assert len(made.run) == 1 or len(made.run) * longest_s <= rules.most_padded_s
            gone = {*made.run, *made.late}
            assert gone or (made.wake is not None and made.wake > now), "a plan always leads on"
            waiting = [one for one in waiting if one not in gone]
            now = max(now + 0.1, made.wake or 0.0)
            seen += 1
            assert seen < 100
