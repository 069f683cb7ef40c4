"""Where do the languages come from? A YAML table in this package: tag, then the fields of `Language`."""

from functools import cache
from importlib.resources import files

import yaml
from pydantic import ConfigDict, TypeAdapter, with_config

from voice_gateway.core.language import Language, Languages


@cache
def built_in() -> Languages:
    """The languages that come with the gateway."""
    return languages((files("voice_gateway") / "languages.yaml").read_text(encoding="utf-8"))


def languages(text: str) -> Languages:
    """A table of languages. Raises ValueError that names the key."""
    entry = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Language))
    table = yaml.safe_load(text)
    return Languages(
        {tag.casefold(): entry.validate_python({"tag": tag, **_casefolded(fields)}) for tag, fields in table.items()}
    )


def _casefolded(fields: dict[str, object]) -> dict[str, object]:
    """Lists are words to be compared; the rest is spoken."""
    return {
        name: [str(word).casefold() for word in value] if isinstance(value, list) else value
        for name, value in fields.items()
    }
