"""How long to wait before dialling again?"""

from voice_client.options import Reconnect


def delay_s(policy: Reconnect, attempt: int, retry_after_s: float | None, spread: float) -> float:
    """Seconds before attempt 1, 2, 3 ...: doubling, never less than what the gateway asked for.

    `spread` in 0..1 takes away up to half, so that the callers of a gateway that died do not come back as one.
    """
    doubled = min(policy.longest_s, policy.first_s * 2.0 ** min(attempt - 1, 30))
    return max(retry_after_s or 0.0, doubled * (1 - spread / 2))
