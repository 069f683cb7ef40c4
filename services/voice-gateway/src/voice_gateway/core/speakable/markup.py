"""What of written text is markup, and not something said? Pairs, line starts, links' targets, HTML. Nothing else goes:
a lone sign (#, *, <, ~) means something.

A line at a time as it is cut into phrases; what is open goes on in the next piece of the same line.
"""

import html
import re

from voice_gateway.core.speakable.abbreviations import is_month

_SIGNS = re.compile(r"[*_~`#<>|\[\]{}&\\+$-]|^\s*(?:\d{1,2}[.)]|[•‣◦–])\s")
_FENCE_OR_RULE = re.compile(r"\s*(?:(?:```|~~~)[\w+-]*|\s*(?:[-*_=|:+]\s*){2,})\s*")
_QUOTE_OR_HEADING = re.compile(r"\s*(?:>(?!\s*[\d=$€£])\s*)*(?:#{1,6}\s+)?")
_HEADING_END = re.compile(r"\s+#+\s*\Z")
_BULLET = re.compile(r"\s*[-*+•‣◦–]\s+(?:\[[ xX]\]\s+)?(?=\S)")
_NUMBER = re.compile(r"\s*(\d{1,2})[.)]\s+(?=\S)")
_LINK = re.compile(
    r"!?\[([^\[\]]*)\](?:\(\s*<?[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*>?(?:\s+[\"'(][^)]*[\"')])?\s*\)|\[[^\[\]]*\])"
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]]+\]:?")
_COMMENT = re.compile(r"<!--.*?-->")
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto|tel):[^\s<>]+|[^\s<>@]+@[^\s<>@]+)>", re.IGNORECASE)
_ATTRIBUTES = r"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))*\s*"
_TAG = re.compile(rf"<(?:/?([a-z][\w:-]*){_ATTRIBUTES}/?|!doctype[^>]*)>", re.IGNORECASE)
_PARTING = frozenset(
    ["br", "p", "li", "ul", "ol", "div", "tr", "td", "th", "hr", "table", *(f"h{n}" for n in range(1, 7))]
)
_NAMES = """
a abbr address article aside b bdi bdo big blockquote body button caption center cite code dd del details dfn dl dt em
emphasis figcaption figure font footer form head header html i img input ins kbd label link main mark math meta nav
phoneme pre prosody q s samp say-as script section small source span speak strike strong style sub summary sup svg tbody
tfoot thead time title tt u var video voice wbr xml answer response output reply final result
"""
_WORDLESS = frozenset(_NAMES.split()) | _PARTING
_PLACEHOLDER = re.compile(r"(?<!\w)<([a-z][\w .'-]*)>(?!\w)", re.IGNORECASE)
_UNKNOWN_TAG = re.compile(r"(?<!\w)<[a-z]\w*>(?=\w)", re.IGNORECASE)
_CODE = re.compile(r"(`+)(.+?)\1(?!`)")
_DUNDER = re.compile(r"\b__\w+__(?=\.\w|\()")
_RUN = re.compile(r"\*+|_{1,3}|~~")
_REFERENCE = re.compile(r"\s*\[[^\[\]]+\]:\s+\S+.*\s*")
_FORMULA = re.compile(
    r"\$\$?(?=[\\a-zA-Z(])([^$\n]*[^$\s])\$\$?|\\(?:boxed|text|textbf|mathbf|mathrm|emph)\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()<>#+.!|~-])")
_HIDDEN = 0xE000
"""Where signs that are none of markup hide meanwhile: Unicode's area for private use."""


class Markup:
    """The text of one reply."""

    def __init__(self) -> None:
        self._at_line_start = True
        self._first_line = True
        self._in_table = False
        self._open: list[str] = []

    def remove(self, text: str) -> str:
        """`text`, the next piece, without its markup. A new line only comes last."""
        plain = text
        if _SIGNS.search(text):
            plain = self._line_start(plain) if self._at_line_start else plain
            plain = self._inline(plain)
        if text.endswith("\n"):
            self._at_line_start, self._first_line, self._in_table, self._open = True, False, False, []
        elif text.strip():
            self._at_line_start = False
        return plain

    def _line_start(self, line: str) -> str:
        if _FENCE_OR_RULE.fullmatch(line) or _REFERENCE.fullmatch(line):
            return ""
        if line.lstrip().startswith("|"):
            self._in_table = True
            return line
        marked = _QUOTE_OR_HEADING.match(line)
        if marked and "#" in marked[0]:
            line = _HEADING_END.sub("", line)
        line = line[marked.end() :] if marked else line
        if bullet := _BULLET.match(line):
            return line[bullet.end() :]
        number = _NUMBER.match(line)
        if number and (not self._first_line or int(number[1]) == 1) and not is_month(line[number.end() :]):
            return line[number.end() :]
        return line

    def _inline(self, text: str) -> str:
        text = _ESCAPE.sub(lambda sign: _hidden(sign[1]), text)
        text = _CODE.sub(lambda code: _hidden(code[2]), text).replace("`", "")
        if "$" in text or "\\" in text:
            text = _FORMULA.sub(r"\1\2", _FRACTION.sub(r"\1/\2", text).replace("\\times", "×").replace("\\cdot", "×"))
        text = _DUNDER.sub(lambda name: _hidden(name[0]), text)
        if "[" in text:
            text = _FOOTNOTE.sub("", _LINK.sub(r"\1", text))
        if "<" in text:
            text = _AUTOLINK.sub(r"\1", _COMMENT.sub("", text))
            text = _UNKNOWN_TAG.sub("", _PLACEHOLDER.sub(r"\1", _TAG.sub(_tag, text)))
        text = self._emphasis(text)
        if "&" in text:
            text = html.unescape(text)
        if self._in_table:
            text = ", ".join(cell.strip() for cell in text.strip().strip("|").split("|"))
        return "".join(_shown(sign) for sign in text if sign not in "{}")

    def _emphasis(self, text: str) -> str:
        """Without the signs of pairs; pairs may have begun in a piece before."""
        runs = list(_RUN.finditer(text))
        drop: set[int] = set()
        opened: list[int] = []
        for index, run in enumerate(runs):
            opens, closes = _flanks(text, run)
            if closes and (partner := self._partner(runs, opened, run[0])) is not None:
                if partner < 0:
                    self._open.remove(run[0])
                elif len(run[0]) == 1 and not any(map(str.isalpha, text[runs[partner].end() : run.start()])):
                    continue  # *67* is to be dialled
                else:
                    drop.add(partner)
                drop.add(index)
            elif opens and len(run[0]) <= 3:
                opened.append(index)
        for index in opened:
            run = runs[index]
            if index not in drop and (len(run[0]) > 1 or text[run.end()].isalpha()):
                drop.add(index)
                self._open.append(run[0])
        pieces, at = [], 0
        for index in sorted(drop):
            pieces.append(text[at : runs[index].start()])
            at = runs[index].end()
        return "".join(pieces) + text[at:]

    def _partner(self, runs: list["re.Match[str]"], opened: list[int], sign: str) -> int | None:
        """What a closing `sign` closes: a run of this piece, or -1 for one of a piece before."""
        for index in reversed(opened):
            if runs[index][0] == sign:
                del opened[opened.index(index) :]
                return index
        return -1 if sign in self._open else None


def _flanks(text: str, run: "re.Match[str]") -> tuple[bool, bool]:
    """Whether a run of signs may open and may close a pair: CommonMark's flanking, but signs between digits or single
    ones inside a word are no markup."""
    before = text[run.start() - 1] if run.start() else " "
    after = text[run.end()] if run.end() < len(text) else " "
    if before.isalnum() and after.isalnum() and (len(run[0]) == 1 or run[0][0] == "_" or (before + after).isdigit()):
        return False, False
    left = not after.isspace() and (after.isalnum() or not before.isalnum())
    right = not before.isspace() and (before.isalnum() or not after.isalnum())
    if not run.start():  # a pair of a piece before may end here
        right = True
    return left, right


def _tag(tag: "re.Match[str]") -> str:
    name = (tag[1] or "").casefold()
    if tag[1] and name not in _WORDLESS and not tag[0].startswith("</") and "=" not in tag[0]:
        return tag[0]
    return " " if name in _PARTING else ""


def _hidden(signs: str) -> str:
    return "".join(chr(_HIDDEN + ord(sign)) if ord(sign) < 128 and not sign.isalnum() else sign for sign in signs)


def _shown(sign: str) -> str:
    code = ord(sign) - _HIDDEN
    return chr(code) if 0 <= code < 128 else sign
