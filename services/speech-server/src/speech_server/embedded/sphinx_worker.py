"""The PocketSphinx program, `python -m speech_server.embedded.sphinx_worker`: run by the server, a child per stream."""

import argparse
import signal
from pathlib import Path

from speech_server.embedded.frames import FINISH, HEARD, Wire, pack_hypothesis
from speech_server.embedded.sphinx_decoders import load_ears
from speech_server.embedded.template import Serve, run_template

_DECODE_S = 30
"""Decoding one frame may take this long, then the child is killed by its alarm, even inside the C library."""


def main() -> None:
    """Load the decoders, then serve streams until the server hangs up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grammar", type=Path)
    parser.add_argument("--sentences", type=Path)
    asked = parser.parse_args()
    run_template(lambda: _load(asked.grammar, asked.sentences))


def _load(grammar: Path | None, sentences: Path | None) -> Serve:
    ears = load_ears(grammar, sentences)

    def serve(wire: Wire) -> None:
        # A child has the template's decoders as they were loaded: fresh, and from here on its own.
        while (frame := wire.receive()) is not None:
            kind, payload = frame
            signal.alarm(_DECODE_S)
            heard = ears.finish(int(payload or 1)) if kind == FINISH else ears.accept(payload)
            signal.alarm(0)
            wire.send(HEARD, pack_hypothesis(heard))

    return serve


if __name__ == "__main__":
    main()
