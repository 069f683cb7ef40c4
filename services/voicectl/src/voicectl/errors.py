"""What can go wrong, in the operator's words?

    VoicectlError      every failure; str() is a sentence that says what to do
    ├── NoCluster      no cluster is configured, or its API server does not answer
    ├── Denied         the API server knows us, or not, and says no
    ├── NotThere       no such release, namespace or object
    ├── Refused        what was asked makes no sense in the state that is there
    ├── Changed        somebody else changed the same object again and again
    ├── Stuck          pods cannot become ready
    └── TooSlow        a deadline passed

Exceptions of the Kubernetes client and of HTTP stop in `cluster.seam`.
"""


class VoicectlError(Exception):
    """A command failed; the text is for the operator."""


class NoCluster(VoicectlError):
    """No cluster is configured, or its API server does not answer."""


class Denied(VoicectlError):
    """The API server refuses us."""


class NotThere(VoicectlError):
    """No such release, namespace or object."""


class Refused(VoicectlError):
    """What was asked makes no sense in the state that is there."""


class Changed(VoicectlError):
    """An object changed between reading and writing it."""


class Stuck(VoicectlError):
    """Pods cannot become ready."""


class TooSlow(VoicectlError):
    """A deadline passed."""
