"""What may be under way follows the caller's habit of acknowledging, not the stalls of the link."""

import pytest
from voice_gateway.core.send_window import SendWindow


def acknowledging(*gaps_s: float) -> SendWindow:
    """After acknowledgements so far apart."""
    delivery, now = SendWindow().acknowledged(10.0), 10.0
    for gap_s in gaps_s:
        now += gap_s
        delivery = delivery.acknowledged(now)
    return delivery


def test_who_acknowledges_with_every_20_ms_of_audio_has_little_under_way() -> None:
    assert acknowledging(*[0.02] * 150).under_way_s(0.2) == pytest.approx(0.62, abs=0.01)


def test_who_acknowledges_once_a_second_is_not_starved() -> None:
    assert acknowledging(*[1.0] * 20).under_way_s(0.2) == pytest.approx(1.6)


def test_nothing_is_known_of_a_caller_who_never_did() -> None:
    assert SendWindow().under_way_s(0.2) == pytest.approx(1.6)


def test_a_stall_of_the_link_is_no_habit() -> None:
    quick = acknowledging(*[0.02] * 150)
    assert quick.last_at is not None
    assert quick.acknowledged(quick.last_at + 8.0).gap_s == quick.gap_s


def test_a_hiccup_is_forgotten() -> None:
    gaps = [*[0.02] * 150, 1.0, *[0.02] * 80]
    assert acknowledging(*gaps[:151]).gap_s == pytest.approx(1.0)
    assert acknowledging(*gaps).gap_s < 0.05
