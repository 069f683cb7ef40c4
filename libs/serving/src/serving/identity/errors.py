"""Why is a caller not let in? Each sentence is for the caller; `kind` is for metrics and logs.

NotIdentified
 ├─ Missing       no token was sent
 ├─ Ambiguous     several were
 ├─ Unaccepted    nobody of ours made it: the caller learns nothing more
 ├─ Unfit         one of our keys signed it, and it is expired, for somebody else, ...
 ├─ OutOfScope    it is good, and does not allow this
 └─ KeysMissing   nothing can be verified now: the keys can't be fetched
"""


class NotIdentified(Exception):
    """The caller is not let in."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Missing(NotIdentified):
    """No token was sent."""

    def __init__(self) -> None:
        super().__init__("missing", "a token is needed here; send it as authorization: Bearer TOKEN")


class Ambiguous(NotIdentified):
    """Several tokens were sent, or one header several times."""

    def __init__(self) -> None:
        super().__init__("ambiguous", "several tokens were sent; send one, as authorization: Bearer TOKEN")


class Unaccepted(NotIdentified):
    """Nobody of ours made this token."""

    def __init__(self) -> None:
        super().__init__("unaccepted", "this token is not accepted; ask the operator for one")


class Unfit(NotIdentified):
    """One of our keys signed it, and it is not good here and now."""


class OutOfScope(NotIdentified):
    """The caller is known, and may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__("scope", f"this token lacks the scope {scope}; get one that has it")


class KeysMissing(NotIdentified):
    """No key was ever fetched."""

    def __init__(self) -> None:
        super().__init__("keys", "tokens can't be checked right now; try again in a few seconds")
