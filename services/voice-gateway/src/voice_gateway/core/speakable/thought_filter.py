"""What of a model's text must not be spoken? Thoughts, tool calls written as text, and tokens of chat templates.

They come cut anywhere, so text that may still become such a tag is held until it is one or can't be. A closing tag
without an opening one (the opening one was in the prompt, as with DeepSeek-R1 on NIM) makes thought of all before it.
"""

from dataclasses import dataclass
from enum import Enum

import regex

_NAMES = (
    "[a-z_:-]{0,20}(?:think|thought|reason|reflection|scratchpad|monologue|rationale)[a-z_-]{0,20}"
    "|analysis|scratch|plan|planning|cot|tool_calls?|tool_response|function_calls?"
)
_TOKEN = regex.compile(
    rf"""
      <(?P<close>/)?(?P<name>{_NAMES})(?:\s[^<>]{{0,200}})?(?P<empty>/)?>
    | (?P<kimi>◁(?P<kimi_close>/)?think▷)
    | (?P<square>\[(?P<square_close>/)?THINK\])
    | <\|(?P<special>[^|<>\n]{{1,64}})\|>
    | <｜[^｜<>\n]{{1,64}}｜>
    | </?s>
    | <(?:bos|eos|pad|unk|mask|sep|cls|eot|eom|endoftext|(?P<turn>start_of_turn)|end_of_turn|unused\d{{1,3}}
        |0x(?P<byte>[0-9a-f]{{2}}))>
    | \[/?(?:INST|SYSTEM_PROMPT|BOS|EOS|PAD|UNK|CLS|SEP|MASK|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\]
    | <</?SYS>>
    """,
    regex.IGNORECASE | regex.VERBOSE,
)
_OPENING = regex.compile(r"[<\[◁]")
_ROLE = regex.compile(r"\s*(?P<role>system|user|assistant|model|tool)\b[ \t]*\n?", regex.IGNORECASE)
_OTHERS = ("system", "user", "tool")
_HEADER_CHARS = len("assistant\n\n")
_THOUGHT_TOKENS = {"begin_of_thought": False, "end_of_thought": True}
_SPACES = {"0a": "\n", "0A": "\n", "20": " ", "09": " "}
_LATE_CHARS = 20_000
"""Kept of what may be the answer to a thought that was opened more often than closed."""


@dataclass(frozen=True, slots=True)
class FilteredText:
    """More text to say."""

    text: str
    retracts: bool = False
    """Whether all before it was thought."""


class Opening(Enum):
    """What a reply is until the first tag."""

    ANSWER = "the answer"
    PERHAPS_THOUGHT = "a thought, if a closing tag comes; else it is said at the end"
    THOUGHT = "a thought"


class ThoughtFilter:
    """One reply's text."""

    def __init__(self, opening: Opening = Opening.ANSWER) -> None:
        self.held_needlessly = False
        """Whether what was perhaps a thought was none."""
        self._perhaps = opening is Opening.PERHAPS_THOUGHT
        self._held = ""
        """May be the beginning of a tag."""
        self._depth = int(opening is not Opening.ANSWER)
        self._header: str | None = None
        """What stands between a header's tokens: a role, or the name of a channel."""
        self._others = False
        """Whether a header said that somebody else speaks: a model that runs on into the next turn."""
        self._late: str | None = "" if opening is Opening.PERHAPS_THOUGHT else None
        """What came since the last closing tag inside a thought."""

    def push(self, piece: str) -> FilteredText:
        """What of `piece` can be said."""
        plain = not (self._held or self._depth or self._others) and self._header is None
        if plain and not _OPENING.search(piece):
            return FilteredText(piece)
        return self._read(self._held + piece, at_end=False)

    def flush(self) -> FilteredText:
        """The reply is complete. A thought that was never closed stays one, unless it was opened too often."""
        said = self._read(self._held, at_end=True)
        late, self._late = self._late, None
        self.held_needlessly = self._perhaps and bool(self._depth)
        return FilteredText(said.text + late) if self._depth and late else said

    def _read(self, text: str, *, at_end: bool) -> FilteredText:
        out: list[str] = []
        self._held, at, retracts = "", 0, False
        while opening := _OPENING.search(text, at):
            self._say(out, text[at : opening.start()])
            match = _TOKEN.match(text, opening.start(), partial=not at_end)
            if match is None:
                self._say(out, text[opening.start()])
                at = opening.end()
            elif match.partial:
                self._held = text[opening.start() :]
                return FilteredText("".join(out), retracts)
            else:
                if self._header is not None and match["special"] is None:
                    self._say(out, "\n")
                if self._take(match):
                    out, retracts = [], True
                elif match["byte"] in _SPACES:
                    self._say(out, _SPACES[match["byte"]])
                at = match.end()
        self._say(out, text[at:])
        if at_end and self._header is not None:
            self._say(out, "\n")
        return FilteredText("".join(out), retracts)

    def _say(self, out: list[str], text: str) -> None:
        if self._header is not None:
            self._header += text
            if "\n" not in self._header.lstrip() and len(self._header) < _HEADER_CHARS:
                return
            text = self._end_header()
        if self._depth:
            self._late = None if self._late is None else (self._late + text)[-_LATE_CHARS:]
        elif text and not self._others:
            out.append(text)

    def _end_header(self) -> str:
        """What was said behind the role that a header names."""
        header, self._header = self._header or "", None
        if (role := _ROLE.match(header)) is None:
            return header
        self._others = role["role"].casefold() in _OTHERS
        return header[role.end() :]

    def _take(self, token: "regex.Match[str]") -> bool:
        """A whole tag. True: all before it was thought."""
        if special := token["special"]:
            return self._take_special(special.casefold())
        if token["turn"]:
            self._header = ""
        if not (token["name"] or token["kimi"] or token["square"]) or token["empty"]:
            return False
        return self._nest(closes=bool(token["close"] or token["kimi_close"] or token["square_close"]))

    def _nest(self, *, closes: bool) -> bool:
        if not closes:
            self._depth += 1
            return False
        if not self._depth:
            return True
        self._depth, self._perhaps = self._depth - 1, False
        self._late = "" if self._depth else None
        return False

    def _take_special(self, name: str) -> bool:
        """A token of a chat template; those of gpt-oss name the channel, and only "final" is spoken."""
        if name in _THOUGHT_TOKENS:
            return self._nest(closes=_THOUGHT_TOKENS[name])
        if name in ("start_header_id", "im_start", "start", "channel"):
            self._header = ""
        elif name == "message" and self._header is not None:
            self._depth = int(self._header.strip().casefold().startswith(("analysis", "commentary")))
            self._header = None
        elif name in ("end_header_id", "message"):
            self._end_header()
        elif name in ("end", "call", "return"):
            self._depth, self._header = 0, None
        return False
