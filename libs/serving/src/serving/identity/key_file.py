"""Which keys stand in a file now? Read again when it changes; one that is gone or can't be used changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from serving.renewed_files import BadFiles, RenewedFiles

_MAX_BYTES = 1024 * 1024
_T = TypeVar("_T")


def key_file(file: Path, parse: Callable[[bytes], _T], setting: str) -> RenewedFiles[_T]:
    """What `parse` makes of the file that a setting names; it raises ValueError with the end of a sentence that begins
    with the file. Raises BadFiles when the file can't be used now."""

    def read() -> _T:
        try:
            with file.open("rb") as opened:
                return parse(opened.read(_MAX_BYTES + 1))
        except OSError as error:
            raise BadFiles(f"{file} can't be read ({error.strerror or error})") from None
        except ValueError as error:
            raise BadFiles(f"{file} {error}") from None

    return RenewedFiles([file], read, setting)
