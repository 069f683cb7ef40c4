"""Do all pods run by the live settings that the ConfigMap holds now?"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicectl.core.release_state import Pod
from voicectl.core.traffic_share import plural

HASH_CHARACTERS = 12
"""Of the file's SHA-256, as the gateway shows it in /readyz."""


@dataclass(frozen=True, slots=True)
class AppliedSettings:
    """What one pod says of its live settings; `unread` says why it could not be asked."""

    pod: Pod
    taken: str = ""
    refused: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`agreed`: every pod that could be asked took the ConfigMap's settings and all could be asked."""

    agreed: bool
    sentence: str


def short_hash(text: str) -> str:
    """The name under which a gateway shows the file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]


def applied_settings(pod: Pod, readyz: str) -> AppliedSettings:
    """Reads the body of /readyz."""
    try:
        config = json.loads(readyz)["config"]
        return AppliedSettings(pod, taken=str(config["taken"]), refused=str(config["refused"]))
    except (ValueError, KeyError, TypeError):
        return AppliedSettings(pod, unread="its /readyz says nothing about live settings; is its image too old?")


def verdict(wanted: Mapping[str, str], pods: Sequence[AppliedSettings]) -> Verdict:
    """One sentence about all pods. `wanted` holds the hash of each of the ConfigMap's files, by its key."""
    if not pods:
        return Verdict(False, "no gateway pod runs, so no settings are applied: look at voicectl status")
    refused = [each.pod.name for each in pods if each.refused]
    if refused:
        return Verdict(
            False,
            f"refused by {', '.join(refused)}: {next(each.refused for each in pods if each.refused)} "
            "(these pods keep their previous settings; correct the value with helm upgrade)",
        )
    unread = [each.pod.name for each in pods if each.unread]
    if unread:
        return Verdict(False, f"could not be read: {', '.join(unread)}")
    behind = [each for each in pods if each.taken != wanted.get(each.pod.live_key, each.taken)]
    if behind:
        names = ", ".join(each.pod.name for each in behind)
        return Verdict(
            False,
            f"these pods do not have the ConfigMap's settings {wanted[behind[0].pod.live_key]} yet: {names} "
            "(the kubelet brings a changed ConfigMap to a pod within about a minute; run this again then)",
        )
    if len({each.taken for each in pods}) > 1:
        return Verdict(False, "the pods have different settings; run this again in a minute")
    return Verdict(True, f"{plural(len(pods), 'pod')} on the same live settings {pods[0].taken}, new calls use them")
