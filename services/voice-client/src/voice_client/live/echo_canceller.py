"""How does a reply from the loudspeaker not come back as the caller's speech? WebRTC's canceller takes it out.

Optional: `pip install "voice-workflow-client[echo]"` brings it. Not for two threads at once.
"""

from importlib.util import find_spec

import numpy as np
from pcm import Resampler, samples

from voice_client.live.echo_reference import EchoReference

CHANNELS = 1


def can_cancel_echo() -> bool:
    """Whether the optional library is installed."""
    return find_spec("pywebrtc_audio") is not None


class EchoCanceller:
    """One call's canceller: what is played goes in with `played`, microphone frames become clean ones with `clean`."""

    def __init__(self, input_hz: int, output_hz: int) -> None:
        from pywebrtc_audio import AudioProcessor  # optional

        # No noise suppression and no gain control: recognisers are trained on sound as it is.
        self._processor = AudioProcessor(sample_rate=input_hz, num_channels=CHANNELS, echo_cancellation=True)
        self._to_input = Resampler(output_hz, input_hz)
        self._reference = EchoReference(input_hz)

    def played(self, pcm16: bytes) -> None:
        """The loudspeaker plays these next, at the output rate; silence, too: it is a clock."""
        self._reference.add(self._to_input.push(pcm16))

    def clean(self, pcm16: bytes) -> bytes:
        """A frame of the microphone without what comes from the loudspeaker."""
        near = np.frombuffer(pcm16, "<i2")
        far = np.frombuffer(self._reference.take(samples(pcm16)), "<i2")
        return bytes(self._processor.process(near, far).astype("<i2").tobytes())
