"""Do gateway pods follow the calls, and do calls survive when pods go?"""

import time

import pytest

from e2e.conftest import Installing
from e2e.support.callers import calls, start, tally
from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.poll import until
from e2e.support.shell import attempt

PER_POD, MANY, FEW = 4, 11, 1
MANY_S, FEW_S = 60, 150
LATE, LATE_S = 3, 110
"""Calls that begin on three pods and outlive two of them."""
SETTINGS = {
    "autoscaling.enabled": "true",
    "autoscaling.minReplicas": "1",
    "autoscaling.maxReplicas": "3",
    "autoscaling.sessionsPerPod": str(PER_POD),
    "autoscaling.scaleDown.stabilizationSeconds": "10",
    "autoscaling.scaleDown.periodSeconds": "10",
    "drain.seconds": str(FEW_S),
}


@pytest.mark.hpa
@pytest.mark.timeout(600)
def test_pods_grow_with_calls_and_shrink_without_cutting_one(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    said = attempt(["kubectl", "get", "--raw", "/apis/custom.metrics.k8s.io/v1beta1"], timeout_s=30)
    assert not said.status, (
        "this cluster serves no custom metrics: install a metrics adapter that offers voice_sessions_active per pod, "
        f"or leave this out with E2E_WITHOUT=hpa ({said.err})"
    )
    with installing("scripted", "scale", SETTINGS) as release:
        cluster.wait_ready(release.namespace, 1)
        image, target = config.image("client"), release.address()

        def staying() -> int:
            return len([pod for pod in cluster.pods(release.namespace) if pod.ready and not pod.leaving])

        few = start(cluster, release.namespace, "few", image, calls(target, count=FEW, hold_s=FEW_S))
        many = start(cluster, release.namespace, "many", image, calls(target, count=MANY, hold_s=MANY_S))
        few.wait_up(FEW)
        many.wait_up(MANY)
        grown_s = until(staying, is_so=lambda count: count == 3, within_s=MANY_S)
        figures.say(f"{FEW + MANY} calls at {PER_POD} per pod to three pods ready, s", grown_s)
        late = start(cluster, release.namespace, "late", image, calls(target, count=LATE, hold_s=LATE_S))
        late.wait_up(LATE)
        ended_many = many.outcomes(within_s=MANY_S + 60)
        began = time.monotonic()
        until(staying, is_so=lambda count: count == 1, within_s=120)
        figures.say(f"{MANY} calls over to one pod left, s", time.monotonic() - began)
        outcomes = ended_many + few.outcomes(within_s=FEW_S + 60) + late.outcomes(within_s=LATE_S + 60)
    figures.say("calls while pods grew and shrank", str(tally(outcomes)))
    assert tally(outcomes) == {"normal": FEW + MANY + LATE}, outcomes
