"""The compatibility page has a line for every field of the wire, and none more."""

import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FileDescriptor
from speech_server.wire import riva_asr_pb2, riva_common_pb2, riva_tts_pb2

PAGE = Path(__file__).parents[4] / "docs" / "riva-compatibility.md"
VERDICTS = {"honoured", "warned", "refused", "empty"}


def lines() -> list[tuple[str, str, str, str]]:
    """(message, field, verdict, what happens) of every line of the tables."""
    rows = re.findall(r"^\| ([\w.]+) \| (\w+) \| (\w+) \| (.*?) ?\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(message, field, verdict, text) for message, field, verdict, text in rows if message != "message"]


def fields(file: FileDescriptor) -> Iterator[tuple[str, str]]:
    """Every (message, field) of a file, nested messages as Outer.Inner."""
    for message in file.message_types_by_name.values():
        yield from fields_of(message, message.name)


def fields_of(message: Descriptor, name: str) -> Iterator[tuple[str, str]]:
    for field in message.fields:
        yield name, field.name
    for inner in message.nested_types:
        if not inner.GetOptions().map_entry:
            yield from fields_of(inner, f"{name}.{inner.name}")


def test_every_field_of_the_wire_has_exactly_one_line() -> None:
    wire = [pair for module in (riva_asr_pb2, riva_tts_pb2, riva_common_pb2) for pair in fields(module.DESCRIPTOR)]
    assert sorted((message, field) for message, field, _, _ in lines()) == sorted(wire)


def test_every_line_has_a_verdict_and_says_what_happens() -> None:
    for message, field, verdict, text in lines():
        assert verdict in VERDICTS, (message, field)
        assert text or verdict in ("honoured", "refused"), (message, field)


def test_every_setting_the_page_names_exists() -> None:
    from speech_server.settings import table

    known = set(re.findall(r"^(\w+)=", table(), re.MULTILINE))
    named = set(re.findall(r"`(SPEECH_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named
    assert named <= known
