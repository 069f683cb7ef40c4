"""How does the caller's audio become a call's, and back? Formats, rates and sample numbers."""

from pcm import AudioFormat, Encoding, Resampler, samples

from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.errors import BadRequest

_FAST_CLOCK = 0.01
"""A clock that is so much faster than ours is forgiven for ever; sound cards differ by 0.1 % at most."""
_SAVED_S = 60.0
"""Time without audio that may be made up for, as after a dropped stream."""


class AudioIn:
    """The caller's stream: checked, gaps filled, at INPUT_RATE_HZ."""

    def __init__(self, format: AudioFormat, max_audio_s: float, max_ahead_s: float) -> None:
        self._format = format
        self._sample_bytes = format.encoding.sample_bytes
        self._max_bytes = round(max_audio_s * format.rate_hz) * self._sample_bytes
        self._max_ahead_s = max_ahead_s
        self._resampler = Resampler(format.rate_hz, INPUT_RATE_HZ)
        self._plain = format == AudioFormat(Encoding.PCM16, INPUT_RATE_HZ)
        self._next_sample = 0
        self._ahead_s = 0.0
        """Audio that came beyond the time that has passed."""
        self._checked_at = (0, 0.0)
        """Samples, and age of the call, when that was last reckoned."""

    @property
    def consumed_samples(self) -> int:
        """Samples of the wire taken so far."""
        return self._next_sample

    def take(self, data: bytes, first_sample: int, age_s: float) -> bytes:
        """PCM16 at INPUT_RATE_HZ. `age_s` is how long the call has been going on.

        Raises BadRequest; `data` is then dropped."""
        sample_bytes = self._sample_bytes
        if len(data) % sample_bytes:
            raise BadRequest(f"audio of {len(data)} bytes holds half a sample; send whole 16-bit samples")
        if len(data) > self._max_bytes:
            raise BadRequest(f"audio of {len(data)} bytes is longer than one second; send 20 to 100 ms at a time")
        count = len(data) // sample_bytes
        if first_sample > self._next_sample:
            self._check_gap(first_sample, age_s)
            data = self._fill(first_sample - self._next_sample) + data
        elif first_sample < self._next_sample and first_sample:
            known = min(self._next_sample - first_sample, count)
            data = data[known * sample_bytes :]
        self._next_sample += len(data) // sample_bytes
        self._check_rate(age_s)
        return data if self._plain else self._resampler.push(self._format.decode(data))

    def _fill(self, missing: int) -> bytes:
        """Silence for audio that was lost on the way; at most what one message may hold."""
        sample_bytes = self._sample_bytes
        if missing * sample_bytes > self._max_bytes:
            self._next_sample += missing - self._max_bytes // sample_bytes
            missing = self._max_bytes // sample_bytes
        return self._format.encode(bytes(2 * missing))

    def _check_gap(self, first_sample: int, age_s: float) -> None:
        ahead_s = first_sample / self._format.rate_hz - age_s
        # A caller's clock may be a little fast; after hours that is more than what a buffer brings.
        if ahead_s > self._max_ahead_s + age_s * _FAST_CLOCK:
            raise BadRequest(
                f"first_sample = {first_sample} is {ahead_s:.4g} s ahead of the call; "
                "count samples from 0 at the start of the session, without gaps except for silence"
            )

    def _check_rate(self, age_s: float) -> None:
        """Audio may be ahead of time after a stall of the link, and a sound card's clock may be a little fast for
        hours; but not both rates be wrong."""
        before_samples, before_s = self._checked_at
        self._checked_at = (self._next_sample, age_s)
        received_s = (self._next_sample - before_samples) / self._format.rate_hz
        passed_s = age_s - before_s
        self._ahead_s = max(-_SAVED_S, self._ahead_s - passed_s) + received_s
        self._ahead_s -= min(max(0.0, self._ahead_s), _FAST_CLOCK * passed_s)
        if self._ahead_s > self._max_ahead_s:
            raise TooFast(
                f"audio is {self._ahead_s:.1f} s ahead of time; is it really {self._format.rate_hz} Hz? "
                "Name the true rate in SessionStart.input, and send no faster than it is spoken"
            )


class TooFast(BadRequest):
    """Audio comes faster than it can have been spoken: the stream can't be understood."""


class AudioOut:
    """Replies at the caller's rate and encoding; sample numbers too."""

    def __init__(self, format: AudioFormat, call_rate_hz: int) -> None:
        self._format = format
        self._call_rate_hz = call_rate_hz
        self._resampler = Resampler(call_rate_hz, format.rate_hz)
        self._next = (0, 0)
        self._offset = 0

    def give(self, n: int, first_sample: int, pcm16: bytes) -> tuple[int, bytes]:
        """Wire offset and bytes of audio of reply `n` from `first_sample` on: more of it, or, on a stream that
        took the call up again, what the last stream may have lost."""
        if (n, first_sample) != self._next:
            self._offset = round(first_sample * self._format.rate_hz / self._call_rate_hz)
            self._resampler = Resampler(self._call_rate_hz, self._format.rate_hz)
        self._next = (n, first_sample + samples(pcm16))
        data = self._format.encode(self._resampler.push(pcm16))
        offset = self._offset
        self._offset += len(data) // self._format.encoding.sample_bytes
        return offset, data

    def end(self, n: int) -> tuple[int, bytes]:
        """Wire offset and bytes of what the resampler still holds of reply `n`, which is over."""
        if self._next[0] != n:
            return 0, b""
        self._next = (0, 0)
        return self._offset, self._format.encode(self._resampler.flush())

    def to_call(self, wire_samples: int) -> int:
        """Samples at the caller's rate, counted at the call's."""
        return round(wire_samples * self._call_rate_hz / self._format.rate_hz)
