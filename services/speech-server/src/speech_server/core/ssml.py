"""Is a text SSML?"""

import re
from xml.etree import ElementTree


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


def spoken_words(ssml: str) -> str:
    """The words of an SSML document, for an engine that knows no tags."""
    return " ".join("".join(ElementTree.fromstring(ssml.strip()).itertext()).split())
