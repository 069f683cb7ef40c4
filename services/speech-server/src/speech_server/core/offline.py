"""How does an engine that only streams transcribe a whole recording? As one utterance of a stream of its own."""

from speech_server.ports import ASR_RATE_HZ, Hints, Hypothesis, Recogniser

SLICE_BYTES = 2 * ASR_RATE_HZ
"""A second at a time, so that others get their turn in between."""


async def as_one_utterance(recogniser: Recogniser, pcm16: bytes, hints: Hints) -> Hypothesis:
    """What the recording says. Raises what `open`, `accept` and `finish` raise."""
    utterances = await recogniser.open(hints)
    try:
        for start in range(0, len(pcm16), SLICE_BYTES):
            await utterances.accept(pcm16[start : start + SLICE_BYTES])
        return await utterances.finish()
    finally:
        await utterances.close()
