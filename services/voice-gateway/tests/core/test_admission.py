"""A call is refused with a reason, a sentence and a time to come back."""

from collections.abc import Sequence

import pytest
from voice_gateway.core.admission import RefusalKind, admit


def test_a_call_is_admitted_while_there_is_room_and_everything_answers() -> None:
    assert admit(active=0, limit=1, draining=False, down=()) is None
    assert admit(active=99, limit=100, draining=False, down=()) is None


@pytest.mark.parametrize(
    ("active", "draining", "down", "kind", "sentence", "retry_after_s"),
    [
        (1, False, (), RefusalKind.BUSY, "all 1 calls", 1.0),
        (0, True, (), RefusalKind.DRAINING, "draining", 0.1),
        (0, False, ("asr",), RefusalKind.BACKEND_DOWN, "asr can't be reached", 2.0),
        (0, False, ("asr", "tts"), RefusalKind.BACKEND_DOWN, "asr and tts can't be reached", 2.0),
        (1, True, ("asr",), RefusalKind.DRAINING, "connect again", 0.1),
        (1, False, ("asr",), RefusalKind.BUSY, "another gateway", 1.0),
    ],
)
def test_a_refusal_says_why_and_when_to_come_back(
    active: int, draining: bool, down: Sequence[str], kind: RefusalKind, sentence: str, retry_after_s: float
) -> None:
    refusal = admit(active=active, limit=1, draining=draining, down=down)
    assert refusal is not None
    assert (refusal.kind, refusal.retry_after_s) == (kind, retry_after_s)
    assert sentence in refusal.sentence
