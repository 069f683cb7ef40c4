"""How many pods are there, and what may take one away?"""

import pytest
from rendering import Chart


def test_a_fixed_number_of_pods_unless_they_follow_the_load(chart: Chart) -> None:
    assert chart.render({"replicas": 3}).get("Deployment/voice-gateway")["spec"]["replicas"] == 3
    assert chart.render().get("Deployment/voice-gateway-canary")["spec"]["replicas"] == 0


@pytest.mark.parametrize("name", ["autoscaling", "autoscaling-cpu", "keda"])
def test_a_number_that_follows_the_load_is_not_set_back_by_an_upgrade(chart: Chart, name: str) -> None:
    assert "replicas" not in chart.set(name).get("Deployment/voice-gateway")["spec"]


def test_pods_follow_the_calls_each_of_them_has(chart: Chart) -> None:
    scaler = chart.set("autoscaling").get("HorizontalPodAutoscaler/voice-gateway")["spec"]

    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "voice-gateway"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 3)
    (metric,) = scaler["metrics"]
    assert metric["pods"]["metric"] == {"name": "voice_sessions_active"}
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": "5"}


def test_where_there_are_no_custom_metrics_they_follow_the_cpu(chart: Chart) -> None:
    (metric,) = chart.set("autoscaling-cpu").get("HorizontalPodAutoscaler/voice-gateway")["spec"]["metrics"]

    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}


def test_up_at_once_and_down_slowly(chart: Chart) -> None:
    behaviour = chart.set("autoscaling").get("HorizontalPodAutoscaler/voice-gateway")["spec"]["behavior"]

    assert behaviour["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert {"type": "Percent", "value": 100, "periodSeconds": 15} in behaviour["scaleUp"]["policies"]
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] == 30
    assert behaviour["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_keda_asks_prometheus_for_the_calls_of_the_stable_pods(chart: Chart) -> None:
    rendered = chart.set("keda")

    scaled = rendered.get("ScaledObject/voice-gateway")["spec"]
    assert not rendered.has("HorizontalPodAutoscaler/voice-gateway")
    (trigger,) = scaled["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["threshold"] == "40"
    assert trigger["metadata"]["query"] == (
        'sum(voice_sessions_active{namespace="calls",pod=~"voice-gateway-.*",pod!~"voice-gateway-canary-.*"})'
    )
    assert scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]


def test_keda_can_follow_the_cpu(chart: Chart) -> None:
    rendered = chart.render({"autoscaling": {"enabled": True, "kind": "keda", "metric": "cpu"}})

    (trigger,) = rendered.get("ScaledObject/voice-gateway")["spec"]["triggers"]
    assert (trigger["type"], trigger["metricType"], trigger["metadata"]) == ("cpu", "Utilization", {"value": "70"})


def test_a_drain_takes_one_pod_at_a_time_however_many_there_are(chart: Chart) -> None:
    budget = chart.render().get("PodDisruptionBudget/voice-gateway")["spec"]

    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"]["matchLabels"]["voice-workflow/track"] == "stable"


def test_without_a_budget_there_is_none(chart: Chart) -> None:
    assert not chart.set("embedded-one-replica").has("PodDisruptionBudget/voice-gateway")
