"""Who calls from inside the cluster? A Job of the client image, whose log tells every call's end."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kubernetes.client.exceptions import ApiException

from e2e.support.cluster import Cluster
from e2e.support.pods import pod_spec
from e2e.support.poll import until


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call went (e2e/programs/calls.py); times in seconds since the callers' program began."""

    call: int
    end: str
    """normal, told, cut or refused."""
    reason: str
    sentence: str
    session: str
    asked_at: float
    began_at: float
    ended_at: float
    went_away_at: float
    deadline_s: float
    dropped: int
    turns: int
    replies: int
    audio_s: float
    answers_s: list[float] = field(default_factory=list)
    """From the end of each turn's tone to the first audio of its reply."""
    unanswered: int = 0
    spoke_at: float = 0.0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Callers:
    """A running Job."""

    cluster: Cluster
    namespace: str
    name: str

    def wait_up(self, count: int, *, within_s: float = 60) -> None:
        """Until so many calls have begun."""
        until(self._up, is_so=lambda up: up >= count, within_s=within_s)

    def outcomes(self, *, within_s: float) -> list[Outcome]:
        """All calls' ends, when the last one is over. Raises AssertionError when that takes too long."""
        until(self._is_over, is_so=bool, within_s=within_s, every_s=1)
        return [Outcome(**line) for line in self._lines() if "end" in line]

    def text(self) -> str:
        """Everything the program said."""
        try:
            pods = self.cluster.core.list_namespaced_pod(self.namespace, label_selector=f"job-name={self.name}").items
            if not pods:
                return ""
            answer = self.cluster.core.read_namespaced_pod_log(
                pods[0].metadata.name, self.namespace, _preload_content=False
            )
        except ApiException:  # not started yet
            return ""
        return str(answer.data.decode())

    def succeeded(self) -> bool:
        """Whether the program ended with 0."""
        status = self.cluster.batch.read_namespaced_job(self.name, self.namespace).status
        return bool(status.succeeded)

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

    def _up(self) -> int:
        return max((int(line["up"]) for line in self._lines() if "up" in line), default=0)

    def _is_over(self) -> bool:
        status = self.cluster.batch.read_namespaced_job(self.name, self.namespace).status
        return bool(status.succeeded or status.failed)


def start(cluster: Cluster, namespace: str, name: str, image: str, command: list[str]) -> Callers:
    """Starts a Job of the client image; its program is not started twice."""
    template = {"spec": pod_spec(image, command, stays=False)}
    job = {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template}}
    cluster.batch.create_namespaced_job(namespace, job)
    return Callers(cluster, namespace, name)


def calls(target: str, **options: float | bool) -> list[str]:
    """The command of e2e/programs/calls.py: count, at_once, hold_s, every_s, for_s, audio."""
    command = ["python", "/programs/calls.py", "--target", target]
    for name, value in options.items():
        flag = name.replace("_", "-")
        command += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return command


def slowest_answer_s(outcomes: list[Outcome]) -> float:
    """The longest wait of any turn; 0 = nobody was answered."""
    return max((answer for one in outcomes for answer in one.answers_s), default=0.0)


def unanswered(outcomes: list[Outcome]) -> int:
    """Turns whose caller waited in vain."""
    return sum(one.unanswered for one in outcomes)


def failures_text(outcomes: list[Outcome]) -> str:
    """Those that went otherwise than they should, a line each."""
    return "\n".join(str(one) for one in outcomes if one.end != "normal" or one.unanswered or one.errors)


def tally(outcomes: list[Outcome]) -> dict[str, int]:
    """How many ended how."""
    return dict(sorted(Counter(one.end for one in outcomes).items()))
