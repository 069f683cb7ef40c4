"""What is the result of "7 times 8 plus 5 squared"?"""

import re
from fractions import Fraction

from mini_llm.number_words import LARGEST, number_words
from mini_llm.text_normalisation import NUMBER, OPERATION

_OPERAND = f"{NUMBER} (?:squared )?"
SUM = f"(?:{_OPERAND}(?:{OPERATION} {_OPERAND})+|{NUMBER} squared )"
_PART = re.compile(f"({OPERATION}) ({NUMBER})( squared)?")


class TooBig(Exception):
    """A number that is not said."""


def evaluate(text: str) -> Fraction:
    """Of what SUM matches; multiplications first. Raises ZeroDivisionError and TooBig."""
    terms: list[Fraction] = []
    numbers: list[Fraction] = []
    for operation, operand, squared in _PART.findall(f"plus {text}"):
        number = Fraction(operand.replace("minus ", "-"))
        numbers.append(number)
        number **= 2 if squared else 1
        match operation:
            case "plus":
                terms.append(number)
            case "minus":
                terms.append(-number)
            case "times" | "multiplied by":
                terms[-1] *= number
            case "percent of":
                terms[-1] *= number / 100
            case _:
                terms[-1] /= number
    total = sum(terms, Fraction(0))
    if max(abs(number) for number in (*numbers, total)) > LARGEST:
        raise TooBig
    return total


def in_words(text: str) -> str:
    """The same in words: "seven times eight"."""
    return re.sub(r"\d+(?:\.\d+)?", lambda found: number_words(Fraction(found[0])), text).strip()
