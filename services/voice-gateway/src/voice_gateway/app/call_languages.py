"""What does a caller of each language get, and which languages are refused? The table, as far as the backends go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_gateway.backends.server_languages import ServerLanguages
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options
from voice_gateway.core.events import CallOptions
from voice_gateway.core.language import Language, Languages, canonical, served_as
from voice_gateway.errors import Unsupported

_MAX_NAMED = 20
"""So many languages are named in a sentence."""


@dataclass(frozen=True, slots=True)
class CallLanguages:
    """The languages of new calls under these settings. What the backends have may change meanwhile."""

    settings: Settings
    languages: Languages
    asr: ServerLanguages
    tts: ServerLanguages

    def options(self, tag: str, *, speaks: bool = True) -> CallOptions:
        """What a caller of this language gets who asks for nothing else; "" = the deployment's own language, which is
        never refused. Without `speaks` no voice needs to have it. Raises Unsupported."""
        language = self.languages.spoken(canonical(tag) or self.settings.asr_language)
        if missing := self._missing(language, speaks=speaks):
            backend, has = missing
            served = self.tags if speaks else has
            raise Unsupported(
                f"{language.tag} is not served here, because {backend} has only {_named(has)}; "
                f"send {'one of ' if len(served) > 1 else ''}{_named(served)} as the language, or none for "
                f"{self.settings.asr_language}"
            )
        asr, tts = language.asr_language or language.tag, language.tts_language or language.tag
        spoken = replace(
            language,
            asr_language=_served_as(asr, self.asr.tags) or asr,
            tts_language=_served_as(tts, self.tts.tags) or tts,
        )
        return call_options(self.settings, spoken)

    @property
    def tags(self) -> tuple[str, ...]:
        """The languages that are known to be served, the deployment's own first."""
        own = self.settings.asr_language
        if self.asr.tags is None or self.tts.tags is None:
            return (own,)
        table = [entry.tag for entry in self.languages.by_tag.values()]
        others = [tag for tag in self.asr.tags if not served_as(tag, table)]
        served = sorted(tag for tag in (*table, *others) if self._missing(self.languages.spoken(tag)) is None)
        return tuple(dict.fromkeys([own, *served]))

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices that synthesis lists; none = not known."""
        return self.tts.voices

    def _missing(self, language: Language, *, speaks: bool = True) -> tuple[str, tuple[str, ...]] | None:
        """The backend that is known not to have this language, and what it has."""
        if language.tag.casefold() == self.settings.asr_language.casefold():
            return None
        asr, tts = language.asr_language or language.tag, language.tts_language or language.tag
        if self.asr.tags is not None and not served_as(asr, self.asr.tags):
            return "speech recognition", self.asr.tags
        if not speaks:
            return None
        # Whoever names a voice for a language knows that it speaks it.
        if self.tts.tags is not None and not language.voice and not served_as(tts, self.tts.tags):
            return "speech synthesis", self.tts.tags
        return None


def _served_as(tag: str, have: Sequence[str] | None) -> str:
    return served_as(tag, have or ())


def _named(tags: Sequence[str]) -> str:
    return ", ".join([*tags[:_MAX_NAMED], *(["…"] if len(tags) > _MAX_NAMED else [])])
