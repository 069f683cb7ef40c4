"""How is the latency of a turn told in one line? `heard after 0.84 s: turn end 0.35 · first token 0.12 · …`"""

from voice_client.events import Latency

_PARTS = (
    ("endpointing_delay", "turn end"),
    ("llm_ttft", "first token"),
    ("first_phrase_delay", "first phrase"),
    ("tts_ttfb", "voice"),
    ("asr_final_latency", "final"),
    ("barge_in_stop", "stopped after"),
)
"""In the order of a turn; the parts may overlap, so they need not add up to the whole."""


def latency_text(latency: Latency) -> str:
    """All that is known of a reply; "" = nothing is. Seconds from the caller's last speech sample, or of each part."""
    heard = latency.voice_to_voice
    begun = heard if heard is not None else latency.gateway_response_latency
    parts = [f"{name} {value:.2f}" for field, name in _PARTS if (value := getattr(latency, field)) is not None]
    if begun is None:
        return " · ".join(parts)
    whole = f"{'heard' if heard is not None else 'sent'} after {begun:.2f} s"
    return f"{whole}: {' · '.join(parts)}" if parts else whole
