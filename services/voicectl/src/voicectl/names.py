"""What are the objects of a release called? The chart and this file say the same."""

from dataclasses import dataclass

PART_OF = "voice-workflow"
GATEWAY = "voice-gateway"
"""app.kubernetes.io/name of the gateway's objects."""
CONTAINER = "gateway"
HTTP_PORT = 8080
"""Of /readyz and /metrics, where a pod names no port `http`."""
LIVE_FILE = "GATEWAY_LIVE_FILE"
"""The variable of a pod that says where its live file lies; its last part is a key of the ConfigMap."""
LIVE_KEY = "live.yaml"
"""That key, where a pod says nothing."""

FIELD_MANAGER = "voicectl"
"""Under this name the API server notes which fields this program set last."""

TRACK_LABEL = "voice-workflow/track"
ASKED_WEIGHT = "voice-workflow/asked-weight"
"""On the canary Deployment while a canary runs: percent of new calls that were asked for."""
PREVIOUS_IMAGE = "voice-workflow/previous-image"
PROMOTED_IMAGE = "voice-workflow/promoted-image"
"""On the canary Deployment after a promote: what the stable ran before, and what it was given."""


@dataclass(frozen=True, slots=True)
class Names:
    """The objects of one release in its namespace."""

    release: str

    @property
    def stable(self) -> str:
        """Deployment of the stable track, GRPCRoute, and Service over all tracks."""
        return f"{self.release}-gateway"

    @property
    def canary(self) -> str:
        """Deployment of the canary track and its Service."""
        return f"{self.release}-gateway-canary"

    @property
    def stable_service(self) -> str:
        return f"{self.release}-gateway-stable"

    @property
    def canary_service(self) -> str:
        return f"{self.release}-gateway-canary"

    @property
    def route(self) -> str:
        return f"{self.release}-gateway"

    @property
    def web_route(self) -> str:
        """HTTPRoute of browsers and WebSockets, where there is one."""
        return f"{self.release}-gateway-web"

    @property
    def live_config(self) -> str:
        """ConfigMap with the settings that change without a restart."""
        return f"{self.release}-gateway-live"

    @property
    def parts(self) -> str:
        """Label selector of everything of the release."""
        return f"app.kubernetes.io/part-of={PART_OF},app.kubernetes.io/instance={self.release}"

    @property
    def selector(self) -> str:
        """Label selector of the gateway's pods, both tracks."""
        return f"app.kubernetes.io/name={GATEWAY},app.kubernetes.io/instance={self.release}"
