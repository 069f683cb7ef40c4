"""Which names of models and voices are simulated backends? Scripted engines and toys in place of Riva and NIM."""

from collections.abc import Iterable, Mapping

_MARKS: Mapping[str, str] = {
    "scripted": "a scripted recogniser: it returns its script, whatever is said",
    "tone": "the tone voice: it beeps",
    "mini-llm": "the mini LLM: it answers by rules",
    "moonshine": "the small recogniser of the laptop demo: it knows English only",
    "espeak": "the voice of eSpeak NG: it is meant for trials",
    "english-us.rob": "the voice of eSpeak NG: it is meant for trials",
}


def find_fake_backends(names: Iterable[str]) -> list[str]:
    """A sentence for each name of a model or voice that is simulated, without doubles."""
    found = [f"{name} is {what}" for name in names for mark, what in _MARKS.items() if mark in name.lower()]
    return list(dict.fromkeys(found))
