"""What has an engine done since its start? Counted by its queue, shown to Prometheus."""

from dataclasses import dataclass


@dataclass
class EngineStats:
    """One engine's work."""

    batches: int = 0
    clips: int = 0
    """Pieces of audio in all batches."""
    audio_s: float = 0.0
    busy_s: float = 0.0
    shed: int = 0
    """Partials that were not worth their turn any more."""
    refused: int = 0
    too_slow: int = 0

    def note(self, clips: int, audio_s: float, took_s: float) -> None:
        """Count a batch."""
        self.batches += 1
        self.clips += clips
        self.audio_s += audio_s
        self.busy_s += took_s

    def figures(self) -> dict[str, float]:
        """As `interfaces.HasCounters` names them."""
        return {
            "batches": self.batches,
            "clips": self.clips,
            "audio_seconds": self.audio_s,
            "busy_seconds": self.busy_s,
            "partials_shed": self.shed,
            "refused": self.refused,
            "broken_off": self.too_slow,
        }
