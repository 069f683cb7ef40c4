"""What is eSpeak NG to the server? A synthesiser that needs a package and no model."""

from speech_server.engines.spec import TtsSpec
from speech_server.engines.tts.espeak import synthesiser

SPEC = TtsSpec(
    lambda settings, timeline: synthesiser.EspeakSynthesiser(),
    parts=lambda: (("eSpeak NG", synthesiser.EspeakSynthesiser(1)),),
)
