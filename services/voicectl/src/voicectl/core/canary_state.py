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
            not_ready = f"; {plural(missing, 'canary pod')} not ready" if missing > 0 else ""
            if missing > 0 and not canary.ready:
                not_ready = "; no canary pod is ready, and these calls fail: run voicectl canary rollback"
            share = percent_text(of_new_calls(release))
            return f"the canary {canary.image} gets {share} of new calls {by}{wish}{not_ready}"
        case "promoted":
            return (
                f"no canary runs; the stable runs {stable.image}, which was promoted: "
                f"voicectl canary rollback brings {canary.noted(PREVIOUS_IMAGE)} back"
            )
        case _:
            return f"no canary runs; the stable runs {stable.image}"
