"""Which token or key does a program show to a server? The one of a file, which may be replaced while it runs."""

from pathlib import Path

from serving.renewed_files import BadFiles, RenewedFiles

_MAX_BYTES = 8 * 1024


class SecretFile:
    """One token, key or password, as the whole content of a file. Raises BadFiles when there is none at the start;
    later a file that is gone or bad changes nothing."""

    def __init__(self, file: Path, what: str) -> None:
        """`what` is for the log: "the token for the speech server"."""
        self._file = file
        self._renewed = RenewedFiles([file], self._read, what)

    @property
    def secret(self) -> str:
        """What stands in it now: ASCII without spaces, so that it fits into a header."""
        return self._renewed.content

    def _read(self) -> str:
        try:
            with self._file.open("rb") as opened:
                content = opened.read(_MAX_BYTES + 1)
        except OSError as error:
            raise BadFiles(f"{self._file} can't be read ({error.strerror})") from None
        secret = content.decode("ascii", "replace").strip()
        if len(content) > _MAX_BYTES or not secret or not all("!" <= sign <= "~" for sign in secret):
            raise BadFiles(f"{self._file} holds no token; write the token and nothing else")
        return secret
