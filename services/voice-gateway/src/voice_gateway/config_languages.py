"""Which languages does this deployment know? The table in this package, the operator's file over it, and the settings.

A table is YAML: tag, then fields of `Language`. What a setting says (GREETING, LLM_APOLOGY, LLM_SYSTEM_PROMPT,
RIVA_MODEL, TTS_VOICE, TURN_IDLE_PROMPT) wins for callers of ASR_LANGUAGE; others get what stands in the table.
"""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import yaml
from serving.settings import BadSettings

from voice_gateway.config import Settings
from voice_gateway.core.language import Language, Languages, SignNames

Table: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Fields as they are written, by tag."""

MAX_BYTES = 1024 * 1024
"""Far more than all languages of the world together."""
_MAX_SENTENCE_CHARS = 1000
_MAX_PROMPT_CHARS = 16384
_MAX_WORDS = 2000
_MAX_NUMBER_CHARS = 2
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Every value is text: YAML's own rules make True of "on" and "yes"."""
_HINTS = get_type_hints(Language)
_SIGNS = tuple(field.name for field in fields(SignNames))
_FIELDS = tuple(field.name for field in fields(Language) if field.name != "tag")
_SENTENCES = (
    "system_prompt",
    "greeting",
    "idle_prompt",
    "goodbye",
    "call_warning",
    "apology",
    "not_understood",
    "cannot_hear",
)
_NONE = "none"
"""What a setting says where nothing is to be said."""


@cache
def built_in() -> Languages:
    """The languages that come with the gateway."""
    return _languages(built_in_table())


@cache
def built_in_table() -> Table:
    """The table that comes with the gateway."""
    return table((files("voice_gateway") / "languages.yaml").read_text(encoding="utf-8"))


def operators_table(settings: Settings) -> Table:
    """What stands in GATEWAY_LANGUAGES_FILE. Blocking. Raises BadSettings naming file and key."""
    file = settings.gateway_languages_file
    if file is None:
        return {}
    try:
        return table(_content(file))
    except ValueError as error:
        raise BadSettings(f"GATEWAY_LANGUAGES_FILE: {file}: {error}") from None


def table(text: str) -> Table:
    """A table of languages. Raises ValueError that names the key."""
    try:
        tree = yaml.compose(text, _LOADER)
        found = yaml.load(text, _LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"this is no YAML: {' '.join(str(error).split())}") from None
    if tree is None or not isinstance(tree, yaml.MappingNode):
        raise ValueError("this must be a mapping of language tags, such as de-DE, to their fields")
    _check_doubles(tree, "")
    for tag, entry in found.items():
        _check_entry(tag, entry)
    return {tag: {name: _read(name, value) for name, value in entry.items()} for tag, entry in found.items()}


def deployment_languages(settings: Settings, operators: Table) -> Languages:
    """The languages of a deployment: those of its file over the built-in ones, its own language as its settings say."""
    own_tag = settings.asr_language
    base = _inherited(_merged(built_in_table(), operators))
    own = {**_near(base, own_tag), **_of_settings(settings)}
    if not settings.greeting:  # the built-in greetings are for deployments that greet
        own["greeting"] = _near(operators, own_tag).get("greeting", "")
    otherwise = {name: own[name] for name in _SENTENCES if name in own}
    adapted = _inherited(_merged(_adapted(built_in_table(), settings), operators))
    others = {tag: {**otherwise, **entry} for tag, entry in adapted.items() if tag.casefold() != own_tag.casefold()}
    return _languages({own_tag: own, **others}, Language("", **otherwise))


def _of_settings(settings: Settings) -> dict[str, str]:
    """Fields of the deployment's own language that are set."""
    wanted = {
        "asr_model": settings.riva_model,
        "voice": settings.tts_voice,
        "system_prompt": settings.llm_system_prompt,
        "greeting": settings.greeting,
        "idle_prompt": settings.turn_idle_prompt,
        "apology": settings.llm_apology,
    }
    return {name: "" if _is_none(value) else value for name, value in wanted.items() if value}


def _adapted(entries: Table, settings: Settings) -> Table:
    """The built-in entries beside a deployment's own sentences: its prompt holds in every language, nobody is greeted
    where it greets nobody, and nobody hears an apology where it wants none."""
    changes: dict[str, Any] = {}
    if not settings.greeting:
        changes["greeting"] = ""
    if _is_none(settings.llm_apology):
        changes["apology"] = ""
    prompt = settings.llm_system_prompt
    if _is_none(prompt):
        changes["system_prompt"] = ""
        prompt = ""

    def one(entry: Mapping[str, Any]) -> Mapping[str, Any]:
        prompts = {"system_prompt": f"{prompt}\n{entry.get('answer_in', '')}".strip()} if prompt else {}
        return {**entry, **changes, **prompts}

    return {tag: one(entry) for tag, entry in entries.items()}


def _is_none(value: str) -> bool:
    return value.strip().casefold() == _NONE


def _merged(below: Table, above: Table) -> Table:
    """`above` wins, field by field; tags are the same whatever their case."""
    names = {tag.casefold(): tag for tag in below}
    renamed = {names.get(tag.casefold(), tag): entry for tag, entry in above.items()}
    return {tag: _over(below.get(tag, {}), renamed.get(tag, {})) for tag in {**below, **renamed}}


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    signs = {**below.get("sign_names", {}), **above.get("sign_names", {})}
    return {**below, **above, **({"sign_names": signs} if signs else {})}


def _inherited(entries: Table) -> Table:
    """What a country's entry lacks is that of the first one of its language: de-AT has the words of de-DE."""
    first: dict[str, Mapping[str, Any]] = {}
    found = {}
    for tag, entry in entries.items():
        above = first.setdefault(tag.partition("-")[0].casefold(), entry)
        found[tag] = entry if above is entry else _over(above, entry)
    return found


def _near(entries: Table, tag: str) -> Mapping[str, Any]:
    """The entry that `Languages.find` would take; empty = there is none."""
    found = Languages({known.casefold(): Language(known) for known in entries}).find(tag).tag
    return entries.get(found, {})


def _languages(entries: Table, otherwise: Language | None = None) -> Languages:
    return Languages(
        {tag.casefold(): _language(tag, entry) for tag, entry in entries.items()}, otherwise or Language("")
    )


def _language(tag: str, entry: Mapping[str, Any]) -> Language:
    signs = entry.get("sign_names")
    return Language(tag, **{**entry, "sign_names": SignNames(**signs) if signs else None})


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"can't be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"holds more than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is no UTF-8 text at byte {error.start}") from None


def _check_doubles(node: yaml.MappingNode, above: str) -> None:
    """Of two keys of one name the last would win, unseen. Raises ValueError."""
    seen: set[str] = set()
    for key, value in node.value:
        name = f"{above}{key.value}"
        if name.casefold() in seen:
            raise ValueError(f"{name}: stands there twice; take one out")
        seen.add(name.casefold())
        if isinstance(value, yaml.MappingNode):
            _check_doubles(value, f"{name}.")


def _check_entry(tag: str, entry: object) -> None:
    """Raises ValueError."""
    if not tag.replace("-", "").isalnum() or not tag.isascii():
        raise ValueError(f"{tag!r} is no language tag; write one such as fr-FR")
    if not isinstance(entry, dict):
        raise ValueError(f"{tag}: must hold fields, such as greeting: Bonjour")
    for name, value in entry.items():
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, 1)
            meant = f"is {near[0]} meant?" if near else f"there are {', '.join(_FIELDS)}"
            raise ValueError(f"{tag}.{name}: is no field of a language; {meant}")
        _check_value(f"{tag}.{name}", name, value)


def _check_value(where: str, name: str, value: object) -> None:
    if _HINTS[name] is str:
        most = _MAX_PROMPT_CHARS if name == "system_prompt" else _MAX_SENTENCE_CHARS
        if not isinstance(value, str):
            raise ValueError(f"{where}: must be one text; write it in quotes")
        if len(value) > most:
            raise ValueError(f"{where}: has {len(value)} characters; {most} are the most")
    elif _HINTS[name] is int:
        if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > _MAX_NUMBER_CHARS:
            raise ValueError(f"{where}: must be a number, such as 10")
    elif name == "sign_names":
        if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
            raise ValueError(f"{where}: must be names by sign, such as {{star: asterisk}}")
        if strange := [sign for sign in value if sign not in _SIGNS]:
            raise ValueError(f"{where}.{strange[0]}: is no sign; there are {', '.join(_SIGNS)}")
    elif not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
        raise ValueError(f"{where}: must be a list of words, such as [one, two]")
    elif len(value) > _MAX_WORDS:
        raise ValueError(f"{where}: has {len(value)} entries; {_MAX_WORDS} are the most")


def _read(name: str, value: Any) -> Any:
    """Sentences as they are, words to be compared in small letters and with single spaces."""
    if _HINTS[name] is str:
        return " ".join(value.split()) if name != "system_prompt" else value.strip()
    if _HINTS[name] is int:
        return int(value)
    if name == "sign_names":
        return value
    if name == "tool_fillers":
        return tuple(value)
    return frozenset(" ".join(word.casefold().split()) for word in value)
