"""What does voicectl need from the Kubernetes client? Responses whose bodies it has not parsed."""

from typing import Protocol


class RawResponse(Protocol):
    """What the client returns for a request whose body it has not read yet."""

    status: int

    @property
    def data(self) -> bytes: ...
