"""Which words of a changing transcript can be told once and for all? Those two hypotheses in a row agree on.

A client of deltas can only append. So a word is told when it was heard twice the same and another came after it; the
completed transcript has the last word where a final still differs.
"""


class StableDeltas:
    """One utterance's deltas."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._told: list[str] = []

    def push(self, text: str) -> str:
        """What a partial settles: words to append, with the space before them; often nothing."""
        words = text.split()
        agreed = 0
        while agreed < min(len(words), len(self._before)) and words[agreed] == self._before[agreed]:
            agreed += 1
        self._before = words
        return self._append(words[: min(agreed, len(words) - 1)])

    def finish(self, text: str) -> str:
        """What the final adds; nothing when it contradicts what was told."""
        return self._append(text.split())

    def _append(self, settled: list[str]) -> str:
        told = len(self._told)
        if settled[:told] != self._told[: len(settled)]:
            return ""
        new = settled[told:]
        self._told += new
        return (" " if told and new else "") + " ".join(new)
