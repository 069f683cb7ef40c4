"""What shall run? Which of the three servers, with which settings, and which are somebody else's."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

_NEEDED_BY_EVERY_PROGRAM = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")

RECOGNISER, SYNTHESISER = "moonshine", "espeak"
"""The speech server's engines that need no model of anybody's."""
FETCH_WITHIN_S = 1800.0
"""The first start of an engine may fetch its model."""


class Part(Enum):
    """The three servers; the value is the command that starts one."""

    SPEECH = "speech-server"
    LLM = "mini-llm"
    GATEWAY = "voice-gateway"


@dataclass(frozen=True)
class StackConfig:
    """Environment variables for each part; addresses, ports and files are added when it starts.

    `external` names the parts that run elsewhere: "host:port" of gRPC for SPEECH and GATEWAY, the base URL (with
    "/v1") for LLM. `cores` pins a part to CPU cores where the system can do that.
    """

    speech: Mapping[str, str] = field(default_factory=dict)
    llm: Mapping[str, str] = field(default_factory=dict)
    gateway: Mapping[str, str] = field(default_factory=dict)
    external: Mapping[Part, str] = field(default_factory=dict)
    cores: Mapping[Part, frozenset[int]] = field(default_factory=dict)
    groups: Mapping[Part, Path] = field(default_factory=dict)
    """The `cgroup.procs` of a control group that a part joins before it starts."""
    inherit: bool = False
    """The parts also get this process's environment: an operator's settings hold. False: only what this object says."""
    folder: Path | None = None
    """Where logs, ports and timelines go; None = a folder that is removed at the end."""
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 8.0

    def settings(self, part: Part) -> dict[str, str]:
        """The config's variables for `part`, with what it inherits."""
        named = {Part.SPEECH: self.speech, Part.LLM: self.llm, Part.GATEWAY: self.gateway}[part]
        kept = os.environ if self.inherit else {}
        kept = {**{name: os.environ[name] for name in _NEEDED_BY_EVERY_PROGRAM if name in os.environ}, **kept}
        return {**kept, **named}

    @property
    def may_fetch(self) -> bool:
        """May its start take minutes?"""
        return self.start_timeout_s >= FETCH_WITHIN_S

    def runs(self, part: Part) -> bool:
        """Is `part` ours to start?"""
        return part not in self.external


def embedded(**changes: object) -> StackConfig:
    """The real engines: recogniser, voice activity and voice of the speech server, the rules of mini-llm."""
    config = StackConfig(speech={"SPEECH_ASR_ENGINE": RECOGNISER, "SPEECH_TTS_ENGINE": SYNTHESISER})
    return replace(config, **changes)  # type: ignore[arg-type]  # mypy can't see the fields through **


def with_engines(config: StackConfig, recogniser: str, synthesiser: str) -> StackConfig:
    """`config` with these engines of the speech server, as SPEECH_ASR_ENGINE and SPEECH_TTS_ENGINE name them."""
    speech = {**config.speech, "SPEECH_ASR_ENGINE": recogniser, "SPEECH_TTS_ENGINE": synthesiser}
    if speech == config.speech:
        return config
    return replace(config, speech=speech, start_timeout_s=FETCH_WITHIN_S)


def scripted(
    *,
    final_ms: int = 20,
    silence_ms: int = 200,
    first_token_ms: int = 150,
    token_ms: int = 10,
    first_chunk_ms: int = 80,
    transcript: str = "caller {stream} turn {utterance}",
    reply: str = "You said {last}. That was one sentence. This is another one, and it is a little longer.",
    **changes: object,
) -> StackConfig:
    """No recogniser and no voice, but delays that are known: what a measurement of the gateway stands on."""
    config = StackConfig(
        speech={
            "SPEECH_ASR_ENGINE": "scripted",
            "SPEECH_TTS_ENGINE": "tone",
            "SCRIPT_TRANSCRIPT": transcript,
            "SCRIPT_FINAL_DELAY_MS": str(final_ms),
            "SCRIPT_STOP_HISTORY_MS": str(silence_ms),
            "TONE_FIRST_CHUNK_MS": str(first_chunk_ms),
        },
        llm={
            "MINI_LLM_SCRIPT": reply,
            "MINI_LLM_FIRST_TOKEN_MS": str(first_token_ms),
            "MINI_LLM_TOKEN_MS": str(token_ms),
        },
        gateway={
            "TURN_END_ON_FINAL": "true",
            "ASR_STOP_HISTORY_MS": str(silence_ms),
            "ASR_STOP_HISTORY_EOU_MS": "0",
        },
    )
    return replace(config, **changes)  # type: ignore[arg-type]


def with_environment(config: StackConfig) -> StackConfig:
    """`config` for a person at a terminal: the environment's settings hold, and a server that it names is used.

    LLM_BASE_URL instead of mini-llm, RIVA_HOST and RIVA_PORT instead of the speech server.
    """
    external = dict(config.external)
    if os.environ.get("LLM_BASE_URL"):
        external[Part.LLM] = os.environ["LLM_BASE_URL"]
    if os.environ.get("RIVA_HOST"):
        external[Part.SPEECH] = f"{os.environ['RIVA_HOST']}:{os.environ.get('RIVA_PORT', '50051')}"
    return replace(config, external=external, inherit=True)
