"""In which state is the release's canary, in one word and in one sentence?"""

from voicectl.core.release_state import Release
from voicectl.core.traffic_share import of_new_calls, percent_text, plural
from voicectl.names import ASKED_WEIGHT, PREVIOUS_IMAGE, PROMOTED_IMAGE


def state(release: Release) -> str:
    """`running`, `promoted` (a rollback would bring the previous image back) or `none`."""
    if release.canary.wanted or (release.weights is not None and release.weights.canary):
        return "running"
    promoted = release.canary.noted(PROMOTED_IMAGE)
    return "promoted" if promoted and promoted == release.stable.image else "none"


def sentence(release: Release) -> str:
    """What an operator wants to know first."""
    stable, canary = release.stable, release.canary
    match state(release):
        case "running":
            by = "by the route's weights" if release.weights is not None else "by the number of pods"
            asked = canary.noted(ASKED_WEIGHT)
            wish = f" (asked: {asked} %)" if asked else ""
            missing = canary.wanted - canary.ready
            lame = f"; {plural(missing, 'canary pod')} not ready" if missing > 0 else ""
            if missing > 0 and not canary.ready:
                lame = "; no canary pod is ready, and these calls fail: say voicectl canary rollback"
            return f"the canary {canary.image} gets {percent_text(of_new_calls(release))} of new calls {by}{wish}{lame}"
        case "promoted":
            return (
                f"no canary runs; the stable runs {stable.image}, which was promoted: "
                f"voicectl canary rollback brings {canary.noted(PREVIOUS_IMAGE)} back"
            )
        case _:
            return f"no canary runs; the stable runs {stable.image}"
