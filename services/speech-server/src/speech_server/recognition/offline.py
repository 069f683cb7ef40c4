"""What does a recording say? Its utterances one after the other, however long it is; memory stays flat."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator

from speech_server.core.asr.recognition_plan import RecognitionPlan
from speech_server.recognition.audio_queue import PIECE_BYTES
from speech_server.recognition.pipeline import RecognitionContext, open_segmenter
from speech_server.recognition.utterance_segmenter import Final, UtteranceSegmenter


async def utterances_of(
    recognition: RecognitionContext, plan: RecognitionPlan, audio: AsyncIterator[bytes]
) -> AsyncGenerator[Final, None]:
    """The finals of this PCM16 at the recogniser's rate, as they come; those without text are left out.

    Raises EngineError, and what `audio` raises.
    """
    async with open_segmenter(recognition, plan, recorded=True) as (segmenter, _):
        async for final in finals_of(segmenter, audio):
            yield final


async def finals_of(segmenter: UtteranceSegmenter, audio: AsyncIterator[bytes]) -> AsyncGenerator[Final, None]:
    """Likewise, by this segmenter."""
    async for pcm16 in audio:
        for at in range(0, len(pcm16), PIECE_BYTES):
            # What waits is there already: the engine may take it in its largest chunks.
            waiting_s = float(len(pcm16))
            async for event in segmenter.push(pcm16[at : at + PIECE_BYTES], time.monotonic(), waiting_s):
                if isinstance(event, Final) and event.hypothesis.text:
                    yield event
            await asyncio.sleep(0)
    last = await segmenter.finish(time.monotonic())
    if last is not None and last.hypothesis.text:
        yield last
