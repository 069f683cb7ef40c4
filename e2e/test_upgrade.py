"""What do callers notice of a rolling upgrade? New calls nothing, running ones at most a GoAway."""

from e2e.conftest import Installing
from e2e.support.callers import Outcome, calls, start, tally
from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures

SHORT_S, LONG_S = 18, 75
"""Shorter and longer than propagation and drain of e2e/values/scripted.yaml, 3 + 20 s, let a call be."""
NEW_EVERY_S, NEW_FOR_S = 0.25, 45
SLOW_START_S = 3.0


def test_no_call_is_cut_by_a_rolling_upgrade(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    image = config.image("client")
    with installing("scripted", "upgrade") as release:
        target, namespace = release.address(), release.namespace
        short = start(cluster, namespace, "short", image, calls(target, count=10, hold_s=SHORT_S))
        long = start(cluster, namespace, "long", image, calls(target, count=10, hold_s=LONG_S))
        short.wait_up(10)
        long.wait_up(10)
        stream = calls(target, every_s=NEW_EVERY_S, for_s=NEW_FOR_S, hold_s=1)
        new = start(cluster, namespace, "new", image, stream)
        new.wait_up(4)
        with figures.timed("rolling upgrade under 20 calls, helm upgrade --wait, s"):
            release.upgrade({"podAnnotations.e2e": "rolled"})
        ended_short, ended_long = short.outcomes(within_s=60), long.outcomes(within_s=120)
        ended_new = new.outcomes(within_s=90)
    figures.say("calls that end within the grace", str(tally(ended_short)))
    figures.say("calls that outlive the grace", str(tally(ended_long)))
    figures.say("new calls during the upgrade", str(tally(ended_new)))
    figures.say("slowest start of a new call, s", max(one.began_at - one.asked_at for one in ended_new))
    assert tally(ended_short) == {"normal": 10}, _failures_text(ended_short)
    assert tally(ended_long) == {"told": 10}, _failures_text(ended_long)
    assert tally(ended_new) == {"normal": round(NEW_FOR_S / NEW_EVERY_S)}, _failures_text(ended_new)
    assert all(one.turns and one.replies for one in ended_short + ended_long)
    assert max(one.began_at - one.asked_at for one in ended_new) < SLOW_START_S


def _failures_text(outcomes: list[Outcome]) -> str:
    return "\n".join(str(one) for one in outcomes if one.end != "normal")
