"""Where does an Ogg stream that is still arriving break into pages, and how far does each reach? Pure (RFC 3533)."""

from dataclasses import dataclass

MAGIC = b"OggS"
_HEADER_BYTES = 27


@dataclass(frozen=True, slots=True)
class OggPage:
    """One page as it came; `position` counts samples to its end, at 48 kHz in Opus."""

    data: bytes
    position: int

    @property
    def begins_stream(self) -> bool:
        """The first page of a logical stream: of a link of a chain when audio came before it."""
        return bool(self.data[5] & 0x02)

    @property
    def is_audio(self) -> bool:
        """Not one of the two header packets' pages: those are at position 0."""
        return self.position != 0


def take_pages(data: bytes) -> tuple[list[OggPage], int]:
    """All whole pages at the start of `data`, and how many bytes they take. Raises ValueError when it isn't Ogg."""
    pages: list[OggPage] = []
    at = 0
    while at + _HEADER_BYTES <= len(data):
        if data[at : at + 4] != MAGIC:
            raise ValueError("The audio is not an Ogg stream, or broken; send an Ogg Opus file from its start")
        segments = data[at + 26]
        body = at + _HEADER_BYTES + segments
        end = body + sum(data[at + _HEADER_BYTES : body])
        if body > len(data) or end > len(data):
            break
        pages.append(OggPage(data[at:end], int.from_bytes(data[at + 6 : at + 14], "little")))
        at = end
    return pages, at
