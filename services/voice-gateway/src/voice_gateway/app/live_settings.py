"""Which settings hold for new calls now? The live file's, looked at every second; each look is checked first."""

import logging
from pathlib import Path

from serving.settings import BadSettings

from voice_gateway.config import Settings
from voice_gateway.config_live import MAX_BYTES, Live, begun, looked

log = logging.getLogger(__name__)


class LiveSettings:
    """The settings, and the file that may change them. Raises BadSettings when there is no file at the start."""

    def __init__(self, startup: Settings) -> None:
        self._startup = startup
        self._file = startup.gateway_live_file
        self.now = self._first_look(self._file) if self._file else Live(startup)

    def _first_look(self, file: Path) -> Live:
        content = _content(file)
        if isinstance(content, str):
            raise BadSettings(f"GATEWAY_LIVE_FILE: {content}")
        now = begun(self._startup, content)
        if now.refused:
            log.error("these live settings are refused, the environment's values hold: %s", now.refused)
        _follow_level(self._startup, now.settings)
        return now

    def look(self) -> None:
        """Take what stands in the file now, or say why not: `now` is another one then."""
        if self._file is None:
            return
        before, self.now = self.now, looked(self.now, self._startup, _content(self._file))
        if self.now.refused and self.now.refused != before.refused:
            log.error("live settings refused, the old ones hold: %s", self.now.refused)
        if self.now.taken != before.taken:
            log.info(
                "live settings %s are in force; changed: %s",
                self.now.taken,
                _changed(before.settings, self.now.settings),
            )
            _follow_level(before.settings, self.now.settings)


def _content(file: Path) -> bytes | str:
    """The file, or the sentence why it can't be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        return f"{file} can't be read ({error.strerror})"


def _changed(old: Settings, new: Settings) -> str:
    """Names only: what a prompt says must not stand in a log."""
    names = [name.upper() for name in Settings.model_fields if getattr(old, name) != getattr(new, name)]
    return ", ".join(names) or "nothing"


def _follow_level(old: Settings, new: Settings) -> None:
    if new.log_level != old.log_level:
        logging.getLogger().setLevel(new.log_level)
