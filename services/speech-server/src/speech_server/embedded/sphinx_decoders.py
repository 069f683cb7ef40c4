"""What does PocketSphinx hear? The open language model and, where given, narrow decoders side by side."""

import re
import tempfile
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pocketsphinx import Decoder

from speech_server.embedded.jsgf import words_of
from speech_server.embedded.sphinx_choice import (
    GRAMMAR_SIMILARITY,
    SENTENCES_SIMILARITY,
    Segment,
    chosen,
    hypothesis,
    plain,
    settled,
)
from speech_server.ports import EngineUnavailable, Hypothesis

CEPSTRAL_MEANS = "48,1.6,-2.2,7.6,-8.2,3.8,-4.3,-3.1,-0.3,-1.1,0.9,-1.5,1.6"
"""Where a fresh stream's estimate of its channel begins: the mean over PocketSphinx' own human test recordings.

Measured on seven of those (57 words), each begun with the mean of the six others: 26 % word errors, against 39 %
with the model's default of 40,3,-1.
"""

_SENTENCE_WORD = re.compile(r"[a-z][a-z'.-]*")


@dataclass(frozen=True, slots=True)
class Narrow:
    """A decoder of few sentences, believed when it is at least so similar to the open one."""

    decoder: Decoder
    least_similarity: float


class Ears:
    """One stream's decoders. State is carried from utterance to utterance: the channel's cepstral means."""

    def __init__(self, free: Decoder, narrow: tuple[Narrow, ...]) -> None:
        self._free = free
        self._narrow = narrow
        self._decoders = (free, *(each.decoder for each in narrow))
        self._is_open = False

    def accept(self, pcm16: bytes) -> Hypothesis:
        """Decode more; begins an utterance when none is open. What is told is settled (see `settled`)."""
        if not self._is_open:
            for decoder in self._decoders:
                decoder.start_utt()
            self._is_open = True
        if pcm16:
            for decoder in self._decoders:
                decoder.process_raw(pcm16)
        segments, _ = self._best()
        return hypothesis(settled(segments))

    def finish(self, alternatives: int = 1) -> Hypothesis:
        """End the utterance. The confidence of a narrow decoder's text is its similarity to the open one's.

        Alternatives are what the other decoders heard, and the open one's next best; they have no words.
        """
        if not self._is_open:
            return Hypothesis("")
        self._is_open = False
        for decoder in self._decoders:
            decoder.end_utt()
        segments, weight = self._best()
        best = hypothesis(segments, weight)
        return replace(best, others=self._others(best.text, alternatives - 1))

    def _others(self, best: str, wanted: int) -> tuple[Hypothesis, ...]:
        if wanted < 1:
            return ()
        texts = [hypothesis(_segments(decoder)).text for decoder in self._decoders]
        texts += [plain(one.hypstr) for one in islice(self._free.nbest() or (), 4 * wanted) if one is not None]
        known = dict.fromkeys(text for text in texts if text and text != best)
        return tuple(Hypothesis(text) for text in islice(known, wanted))

    def _best(self) -> tuple[tuple[Segment, ...], float]:
        free = _segments(self._free)
        narrow = [(_segments(each.decoder), each.least_similarity) for each in self._narrow]
        return chosen(free, narrow)


def load_ears(grammar: Path | None, sentences: Path | None) -> Ears:
    """Load the decoders: 0.3 s and 100 MB for the open model, less for each narrow one.

    Raises:
        EngineUnavailable: a file can't be used; the sentence names it, and the word that is not in the dictionary.
    """
    narrow = []
    if grammar is not None:
        narrow.append(Narrow(_grammar_decoder(grammar), GRAMMAR_SIMILARITY))
    if sentences is not None:
        narrow.append(Narrow(_sentences_decoder(sentences), SENTENCES_SIMILARITY))
    return Ears(_decoder(), tuple(narrow))


def _decoder(**options: str | bool | None) -> Decoder:
    # fwdflat, a second pass, costs 70 ms at the end of each utterance and made more errors than it mended.
    return Decoder(fwdflat=False, remove_noise=True, cmninit=CEPSTRAL_MEANS, loglevel="FATAL", **options)


def _grammar_decoder(path: Path) -> Decoder:
    text = _read(path)
    # bestpath, a search for posteriors in the graph of all that was heard, takes seconds after a large grammar.
    decoder = _decoder(lm=None, bestpath=False)
    unknown = [word for word in words_of(text) if decoder.lookup_word(word) is None]
    if unknown:
        raise EngineUnavailable(
            f"The grammar {path} has words that are not in the dictionary: {', '.join(unknown)}; "
            "spell them as cmudict-en-us.dict does (lower case), or leave them out"
        )
    try:
        decoder.add_jsgf_string("grammar", text)
        decoder.activate_search("grammar")
    except (ValueError, KeyError, RuntimeError) as error:
        raise EngineUnavailable(f"The grammar {path} is not JSGF that can be parsed; see the lines above") from error
    return decoder


def _sentences_decoder(path: Path) -> Decoder:
    try:
        from pocketsphinx.lm import ArpaBoLM
    except ImportError as error:
        raise EngineUnavailable("A file of sentences needs pocketsphinx 5.1 or newer; install it") from error
    lines = [" ".join(_SENTENCE_WORD.findall(line)) for line in _read(path).lower().splitlines()]
    text = "\n".join(line for line in lines if line)
    if not text:
        raise EngineUnavailable(f"{path} holds no sentences; write one a line, in words")
    model = ArpaBoLM(text=text, add_start=True)
    model.compute()
    with tempfile.TemporaryDirectory() as folder:
        arpa = Path(folder) / "sentences.arpa"
        model.write_file(str(arpa))
        return _decoder(lm=str(arpa))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineUnavailable(f"{path} can't be read ({error}); check the setting that names it") from error


def _segments(decoder: Decoder) -> tuple[Segment, ...]:
    return tuple(
        Segment(part.word, part.start_frame, part.end_frame, min(1.0, part.prob)) for part in decoder.seg() or ()
    )
