"""What have the folders of all models in common? Precisions, devices, a vocabulary, and ways to be broken."""

from pathlib import Path
from typing import Literal

from speech_server.errors import EngineUnavailable

Precision = Literal["fp32", "fp16", "int8"]
PrecisionSetting = Literal["auto", "fp32", "fp16", "int8"]
Device = Literal["cuda", "cpu"]

BEST: dict[Device, tuple[Precision, ...]] = {"cuda": ("fp32", "fp16"), "cpu": ("int8", "fp32", "fp16")}
"""In this order. On a GPU fp16 needs less memory, but twice fp32's time for a batch of a new length. Never
int8 there: onnxruntime sends its operators back to the CPU one by one."""
BLANK = "<blk>"
"""The token that says nothing."""


class ModelBroken(EngineUnavailable):
    """The model's files are missing, incomplete or not what they should be; the sentence says which and what to do."""


def read_vocabulary(path: Path, advice: str) -> tuple[str, ...]:
    """Tokens by number, from lines of "token number". Raises ModelBroken, saying `advice`."""
    tokens: dict[int, str] = {}
    try:
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line.strip("\r"):
                token, number = line.rstrip("\r").rsplit(" ", 1)
                tokens[int(number)] = token
    except FileNotFoundError as error:
        raise ModelBroken(f"{path} is missing; {advice}.") from error
    except (OSError, ValueError) as error:
        raise ModelBroken(f'{path} is not a list of "token number" lines: {error}; {advice}.') from error
    if sorted(tokens) != list(range(len(tokens))) or BLANK not in tokens.values():
        raise ModelBroken(f"{path} has missing numbers or no {BLANK}: it was cut off; {advice}.")
    return tuple(tokens[number] for number in range(len(tokens)))
