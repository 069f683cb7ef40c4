"""What does a failure of the Kubernetes client mean to the operator? Foreign exceptions stop here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from voicectl.errors import ConflictingChange, NoCluster, NotFound, PermissionDenied, VoicectlError

RIGHTS = "docs/canary.md lists the rights that voicectl needs"


@contextmanager
def translated_errors(what: str, server: str) -> Iterator[None]:
    """Turns every failure of the block, which does `what` ("read the Deployment r-gateway"), into one of our errors."""
    try:
        yield
    except ApiException as error:
        raise of_status(error, what) from None
    except urllib3.exceptions.HTTPError as error:
        raise NoCluster(
            f"the API server at {server} does not answer ({type(error).__name__}): start the cluster, or choose "
            "another one with KUBECONFIG or --context"
        ) from None
    except (ConfigException, OSError) as error:
        raise NoCluster(f"cannot {what}: {error}") from None


def of_status(error: ApiException, what: str) -> VoicectlError:
    """The error of ours for an HTTP status of the API server."""
    reason = _reason(error)
    match error.status:
        case 401:
            return PermissionDenied(
                f"the API server does not know you ({reason}): log in again or choose another --context"
            )
        case 403:
            return PermissionDenied(f"you may not {what}: {reason}. {RIGHTS}")
        case 404:
            return NotFound(f"cannot {what}: {reason}")
        case 409:
            return ConflictingChange(f"cannot {what}: somebody changes it at the same time; try again")
        case _:
            return VoicectlError(f"cannot {what}: {reason}")


def _reason(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.body or error.reason or f"status {error.status}").strip()
