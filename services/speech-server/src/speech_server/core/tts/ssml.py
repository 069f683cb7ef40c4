"""Is a text SSML, and what does it ask for?"""

import re
from dataclasses import replace
from xml.etree import ElementTree

from speech_server.core.tts.text_chunking import Phrase, cut


def is_ssml(text: str) -> bool:
    """Only one whole XML document with the root <speak> is; everything else is plain text.

    A document type is refused with it: entities could blow up far beyond the text limit.
    """
    start = text.strip()
    if not re.match(r"(<\?xml[^>]*\?>\s*)?<speak[\s>/]", start) or "<!" in start:
        return False
    try:
        root = ElementTree.fromstring(start)
    except ElementTree.ParseError:
        return False
    return root.tag.rpartition("}")[2] == "speak"


_ELEMENTS = (
    "speak|break|prosody|phoneme|sub|say-as|emphasis|voice|audio|mark|lexicon|lookup|lang|metadata|meta|amazon:[a-z-]+"
    "|mstts:[a-z-]+"
)
_ELEMENT = re.compile(rf"</?({_ELEMENTS})(?=[\s/>]|$)", re.IGNORECASE)
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION|\[CDATA\[)|<\?xml\b", re.IGNORECASE)
_CLOSED = re.compile(r"</([a-z][\w:.-]*)\s*>|<([a-z][\w:.-]*)(?:\s[^<>]*)?/>", re.IGNORECASE)
_TAG = re.compile(r"</?([a-z][\w:.-]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ALONE = frozenset({"br", "hr", "p"})
"""HTML's tags that need no end."""


def broken_markup(text: str) -> str:
    """What is wrong with a text that was meant as SSML, or is XML besides, in a sentence; "" for one to be spoken."""
    if is_ssml(text):
        return ""
    if _DECLARATION.search(text):
        return "The text has an XML declaration, a document type or CDATA; send plain text, or one <speak> document."
    element = _ELEMENT.search(text)
    if element is None:
        return ""
    if re.match(r"\s*<speak[\s>/]", text):
        return (
            "The SSML can't be read; send one well-formed <speak> document without a document type or comments. "
            "Nothing of it is spoken."
        )
    return f"The text has the SSML tag {element[1].lower()} outside a <speak> document; put <speak>…</speak> around it."


def without_tags(text: str) -> str:
    """Plain text without the tags of other markup, such as HTML's: nobody wants to hear those.

    A name in angle brackets that nothing closes stays: "cp <source> <target>".
    """
    if "<" not in text:
        return text
    names = {(closing or alone).lower() for closing, alone in _CLOSED.findall(text)} | _ALONE
    plain = _COMMENT.sub(" ", text)
    return _TAG.sub(lambda tag: " " if tag[1].lower() in names else tag[0], plain)


def spoken_words(ssml: str) -> str:
    """The words of an SSML document, for an engine that knows no tags."""
    return " ".join("".join(ElementTree.fromstring(ssml.strip()).itertext()).split())


def pauses_s(ssml: str) -> float:
    """How long all breaks of an SSML document are together."""
    root = ElementTree.fromstring(ssml.strip())
    return sum(_pause_s(element) for element in root.iter() if _is_break(element))


def with_capped_breaks(ssml: str) -> str:
    """The document for an engine that reads SSML itself: no break is longer than LONGEST_PAUSE_S, none is said oddly.

    Without a break the text stays as it is, as does one that is no document.
    """
    try:
        root = ElementTree.fromstring(ssml.strip())
    except (ElementTree.ParseError, UnicodeEncodeError):
        return ssml
    breaks = [element for element in root.iter() if _is_break(element)]
    if not breaks:
        return ssml
    for element in breaks:
        pause_ms = round(1000 * _pause_s(element))
        element.attrib.clear()
        element.set("time", f"{pause_ms}ms")
    for element in root.iter():  # else each tag would carry a prefix that the engine doesn't know
        element.tag = element.tag.rpartition("}")[2]
    return ElementTree.tostring(root, encoding="unicode")


def _is_break(element: ElementTree.Element) -> bool:
    return element.tag.rpartition("}")[2].lower() == "break"


def phrases(ssml: str) -> list[Phrase]:
    """An SSML document for an engine that knows no tags: break, prosody rate, sub and phoneme (IPA) are honoured.

    Phonemes stand in [[ ]]. Other tags leave only their text.
    """
    parts: list[Phrase] = []
    _walk(ElementTree.fromstring(ssml.strip()), 1.0, parts)
    spoken: list[Phrase] = []
    for part in parts:
        if not part.text.strip():
            if spoken and part.pause_s:
                spoken[-1] = replace(spoken[-1], pause_s=spoken[-1].pause_s + part.pause_s)
            continue
        cuts = cut(part.text, first=not spoken)
        spoken += [Phrase(text, part.speed) for text in cuts]
        if cuts:
            spoken[-1] = replace(spoken[-1], pause_s=part.pause_s)
    return spoken


def _walk(element: ElementTree.Element, speed: float, parts: list[Phrase]) -> None:
    name = element.tag.rpartition("}")[2]
    inner = speed * _rate(element.get("rate", "")) if name == "prosody" else speed
    if _is_break(element):
        _append(parts, "", speed, _pause_s(element))
    elif name == "sub" and element.get("alias"):
        _append(parts, element.get("alias", ""), inner)
    elif name == "phoneme" and element.get("ph") and element.get("alphabet", "ipa") == "ipa":
        _append(parts, f"[[{element.get('ph')}]]", inner)
    elif name != "audio":
        _append(parts, element.text or "", inner)
        for child in element:
            _walk(child, inner, parts)
            _append(parts, child.tail or "", inner)
        if name in ("p", "s"):
            _append(parts, "\n", inner)


def _append(parts: list[Phrase], text: str, speed: float, pause_s: float = 0.0) -> None:
    """Text of one speed is one part until a break ends it."""
    if parts and parts[-1].speed == speed and not parts[-1].pause_s:
        parts[-1] = Phrase(parts[-1].text + text, speed, pause_s)
    elif text or pause_s:
        parts.append(Phrase(text, speed, pause_s))


_STRENGTHS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
_RATES = {"x-slow": 0.5, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
LONGEST_PAUSE_S = 10.0
"""Of one break, however long it is to be."""


def _pause_s(element: ElementTree.Element) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)(ms|s)\s*", element.get("time", ""))
    if found is None:
        return _STRENGTHS_S.get(element.get("strength", "medium"), 0.4)
    return min(float(found[1]) / (1000 if found[2] == "ms" else 1), LONGEST_PAUSE_S)


def _rate(written: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)(%?)\s*", written)
    if found is None:
        return _RATES.get(written.strip(), 1.0)
    return min(4.0, max(0.25, float(found[1]) / (100 if found[2] else 1)))
