"""How many calls does a pod hold, by the text of its /metrics?"""

from prometheus_client.parser import text_string_to_metric_families

SESSIONS = "voice_sessions_active"


def calls_held(exposition: str) -> int | None:
    """Calls that the pod holds now; None where the text is no metrics or says nothing about calls."""
    try:
        values = [
            sample.value
            for family in text_string_to_metric_families(exposition)
            for sample in family.samples
            if sample.name == SESSIONS
        ]
    except ValueError:
        return None
    return int(sum(values)) if values else None
