"""What does the text of a pod's /metrics say?"""

from prometheus_client.parser import text_string_to_metric_families


def sums(exposition: str) -> dict[str, float] | None:
    """The sum of each series over its labels, by its name; None where the text is no metrics."""
    found: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    except ValueError:
        return None
    return found
