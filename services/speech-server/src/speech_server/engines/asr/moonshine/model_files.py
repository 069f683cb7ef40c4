"""Which files make a Moonshine model? As its makers publish it: in their wheel, or as ONNX on the hub.

encoder_model.ort, decoder_model_merged.ort, tokenizer.bin                       the makers' wheel (8 bit)
onnx/encoder_model*.onnx, onnx/decoder_model_merged*.onnx, tokenizer.json        the hub
"""

import json
from dataclasses import dataclass
from pathlib import Path

from speech_server.engines.onnx.model_format import ModelBroken

WHEEL_FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
HUB_FILES = ("onnx/encoder_model_quantized.onnx", "onnx/decoder_model_merged_quantized.onnx", "tokenizer.json")
_AGAIN = "run `speech-server models pull moonshine` again"


@dataclass(frozen=True, slots=True)
class MoonshineFiles:
    """A folder that was found whole."""

    encoder: Path
    decoder: Path
    vocabulary: tuple[bytes, ...]
    """The UTF-8 bytes of each token, by number; a letter may be spread over several."""


def find_model(folder: Path) -> MoonshineFiles:
    """What lies in a model's folder. Raises ModelBroken with a sentence that names what is wrong."""
    for names in (WHEEL_FILES, HUB_FILES):
        encoder, decoder, tokenizer = (folder / name for name in names)
        if encoder.is_file():
            for path in (decoder, tokenizer):
                if not path.is_file():
                    raise ModelBroken(f"{path} is missing beside {encoder.name}; {_AGAIN}.")
            return MoonshineFiles(encoder, decoder, _vocabulary(tokenizer))
    raise ModelBroken(f"There is no Moonshine model in {folder}; {_AGAIN}, or name another folder.")


def _vocabulary(path: Path) -> tuple[bytes, ...]:
    try:
        return _packed(path.read_bytes()) if path.suffix == ".bin" else _listed(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelBroken(f"{path} is no tokenizer of Moonshine's ({error}); {_AGAIN}.") from error


def _packed(content: bytes) -> tuple[bytes, ...]:
    """Length, bytes, for each token. A length from 128 on takes a second byte: (first - 128) + 128 * second."""
    found, at = [], 0
    while at < len(content):
        length, at = content[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * content[at], at + 1
        if at + length > len(content):
            raise ValueError("it was cut off")
        found.append(content[at : at + length])
        at += length
    return tuple(found)


def _listed(path: Path) -> tuple[bytes, ...]:
    content = json.loads(path.read_text(encoding="utf-8"))
    numbers = {token: number for token, number in content["model"]["vocab"].items()}
    numbers |= {one["content"]: one["id"] for one in content.get("added_tokens", [])}
    tokens = [b""] * (max(numbers.values()) + 1)
    for token, number in numbers.items():
        # "<0x41>" is one byte.
        tokens[number] = bytes.fromhex(token[3:5]) if token.startswith("<0x") and len(token) == 6 else token.encode()
    return tuple(tokens)
