"""Which options do `run` and `demo` share?"""

from typing import Annotated

import typer

Engine = Annotated[str, typer.Option(help="Recogniser: SPEECH_ASR_ENGINE of the speech server.")]
Tts = Annotated[str, typer.Option(help="Synthesiser: SPEECH_TTS_ENGINE of the speech server.")]
