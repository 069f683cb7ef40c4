"""Which number has each symbol of Kokoro's? Said by the model's folder, or else as all of its versions were trained.

tokenizer.json     model.vocab: symbol -> number; the hub's ONNX export
config.json        vocab: symbol -> number; the original model
tokens.txt         "symbol number" lines; sherpa-onnx
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speech_server.errors import EngineUnavailable

_RUNS = {
    1: ";:,.!?", 9: "—…\"()“” \u0303ʣʥʦʨᵝ\uab67AI", 31: "O", 33: "Q", 35: "ST", 39: "W", 41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ", 75: "βɔɕç", 80: "ɖðʤə", 85: "ɚɛɜ", 90: "ɟ", 92: "ɡ", 99: "ɥ", 101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø", 118: "ɸθœ", 123: "ɹ", 125: "ɾɻ", 128: "ʁɽʂʃʈʧ", 135: "ʊʋ", 138: "ʌɣɤ", 142: "χʎ", 147: "ʒʔ",
    156: "ˈˌː", 162: "ʰ", 164: "ʲ", 169: "↓", 171: "→↗↘", 177: "ᵻ",
}  # fmt: skip
"""First number: the symbols that have this number and those after it."""
PUBLISHED: Mapping[str, int] = {
    symbol: number for first, symbols in _RUNS.items() for number, symbol in enumerate(symbols, first)
}
"""Of Kokoro 82M, v0.19 and v1.0 (Apache-2.0)."""


def read_vocabulary(folder: Path) -> Mapping[str, int]:
    """The symbols' numbers. Raises EngineUnavailable for a file that is damaged."""
    tokenizer, config, tokens = (folder / name for name in ("tokenizer.json", "config.json", "tokens.txt"))
    try:
        if tokenizer.is_file():
            return _numbered(_json(path := tokenizer)["model"]["vocab"])
        if config.is_file() and "vocab" in (found := _json(path := config)):
            return _numbered(found["vocab"])
        if tokens.is_file():
            lines = (path := tokens).read_text(encoding="utf-8").splitlines()
            return _numbered(dict(line.rsplit(" ", 1) for line in lines if line.strip()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineUnavailable(f"{path} is no tokenizer of Kokoro's ({error}); fetch the model again.") from error
    return PUBLISHED


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _numbered(vocabulary: Any) -> dict[str, int]:
    return {str(symbol): int(number) for symbol, number in vocabulary.items()}
