"""What does an operator type so that Helm's record agrees with what was done by hand?"""

from voicectl.names import Names


def helm_command(names: Names, namespace: str, image: str) -> str:
    """The `helm upgrade` that records the stable's image and that no canary runs."""
    return (
        f"helm upgrade {names.release} helm/voice-workflow --namespace {namespace} --reset-then-reuse-values "
        f"--set image.gateway={image},canary.replicas=0,canary.weight=0"
    )
