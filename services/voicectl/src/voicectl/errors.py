"""What can go wrong, in the operator's words?

    VoicectlError           every failure; str() is a sentence that says what to do
    ├── NoCluster           no cluster is configured, or its API server does not answer
    ├── PermissionDenied    the API server refuses us
    ├── NotFound            no such release, namespace or object
    ├── Refused             what was asked makes no sense in the state that is there
    ├── ConflictingChange   somebody else changed the same object again and again
    ├── RolloutFailed       pods cannot become ready
    └── RolloutTimedOut     a deadline passed

Exceptions of the Kubernetes client and of HTTP stop in `cluster.errors`.
"""


class VoicectlError(Exception):
    """A command failed; the text is for the operator."""


class NoCluster(VoicectlError):
    """No cluster is configured, or its API server does not answer."""


class PermissionDenied(VoicectlError):
    """The API server refuses us."""


class NotFound(VoicectlError):
    """No such release, namespace or object."""


class Refused(VoicectlError):
    """What was asked makes no sense in the state that is there."""


class ConflictingChange(VoicectlError):
    """An object changed between reading and writing it."""


class RolloutFailed(VoicectlError):
    """Pods cannot become ready."""


class RolloutTimedOut(VoicectlError):
    """A deadline passed."""
