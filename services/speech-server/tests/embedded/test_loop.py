"""Does the embedded recogniser understand the embedded synthesiser? The whole laptop loop, without a microphone."""

from pathlib import Path

from pcm import Clip
from speech_server.embedded.espeak import EspeakSynthesiser
from speech_server.embedded.espeak_voices import RATE_HZ
from speech_server.embedded.sphinx import SphinxRecogniser
from speech_server.ports import ASR_RATE_HZ, Hints

from .conftest import hear, quiet, say

GRAMMAR = """#JSGF V1.0;
grammar questions;
<number> = one | two | three | four | five | six | seven | eight | nine | ten;
public <question> = what time is it | tell me a joke | what is <number> (plus | times) <number>
    | set a timer for <number> minutes;
"""
QUESTIONS = ("what time is it", "tell me a joke", "what is seven times five", "set a timer for three minutes")


async def test_the_klatt_voice_is_understood_inside_a_grammar(tmp_path: Path, espeak: EspeakSynthesiser) -> None:
    grammar = tmp_path / "questions.gram"
    grammar.write_text(GRAMMAR)
    recogniser = SphinxRecogniser(workers=1, grammar=grammar)
    await recogniser.start()
    stream = await recogniser.open(Hints("en-US"))
    heard = []
    for question in QUESTIONS:
        chunks = await say(espeak, question, "English-US.Klatt-4")
        speech = Clip(b"".join(chunk.pcm16 for chunk in chunks), RATE_HZ).at(ASR_RATE_HZ).pcm16
        heard.append((await hear(stream, quiet(0.3) + speech + quiet(0.5))).text)
    await recogniser.stop()
    assert tuple(heard) == QUESTIONS
