"""Until when is a certificate good? For metrics; needs the extra `identity`, which brings a parser of certificates."""

from collections.abc import Callable
from math import nan
from pathlib import Path

from cryptography import x509


def expires_at(pem: bytes) -> float:
    """Seconds since the epoch, of the first certificate of a chain; NaN = there is none."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()
    except ValueError:
        return nan


def file_expires_at(file: Path) -> Callable[[], float]:
    """The same of a file, as it stands when it is asked for."""

    def now() -> float:
        try:
            return expires_at(file.read_bytes())
        except OSError:
            return nan

    return now
