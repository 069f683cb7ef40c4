"""What does an operator see? The Prometheus metrics of the gateway."""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from voice_gateway.core.timeline import LATENCIES

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_TOKENS = (250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000)

_LONGEST_S = 120.0
"""Callers report some of the times; what is longer was no latency."""


class Metrics:  # size: one attribute a metric
    """One registry per process (a test makes its own)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        Info("voice_gateway", "which gateway this is", registry=self.registry).info(
            {"version": version("voice-workflow-gateway")}
        )
        self.draining = Gauge("voice_draining", "1 = it takes no new calls any more", registry=self.registry)
        self.config_refused = Gauge(
            "voice_config_refused", "1 = the live settings file, as it stands, is not taken", registry=self.registry
        )
        self.certificate_expires = Gauge(
            "voice_certificate_expiry_timestamp_seconds",
            "when the certificate of a setting expires, seconds since 1970: the one served, or shown to a backend",
            ["setting"],
            registry=self.registry,
        )
        self.calls = Gauge("voice_sessions_active", "calls held now", registry=self.registry)
        self.started = Counter("voice_sessions_started", "calls begun", registry=self.registry)
        self.ended = Counter("voice_sessions_ended", "calls over, by reason", ["reason"], registry=self.registry)
        self.refused = Counter("voice_sessions_refused", "calls refused, by reason", ["reason"], registry=self.registry)
        self.issuer_unreachable = Gauge(
            "voice_issuer_unreachable",
            "1 = the keys that verify callers' tokens could not be fetched at the last try; those of before are used",
            registry=self.registry,
        )
        self.callers_refused = Counter(
            "voice_callers_refused", "requests whose caller was not let in, by why", ["reason"], registry=self.registry
        )
        self.resumed = Counter("voice_sessions_resumed", "dropped calls taken up again", registry=self.registry)
        self.turns = Counter("voice_turns", "turns of callers", registry=self.registry)
        self.replies = Counter("voice_replies", "replies by how they ended", ["end"], registry=self.registry)
        self.drafts = Counter(
            "voice_drafts",
            "replies begun before their turn was decided, by what became of them",
            ["end"],
            registry=self.registry,
        )
        self.draft_waste = Counter(
            "voice_draft_wasted_pieces",
            "pieces of text, about a token each, that the model sent for drafts that were retracted",
            registry=self.registry,
        )
        self.draft_ahead = Histogram(
            "voice_draft_ahead_seconds",
            "time from the beginning of a released draft to the end of its turn",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.chat_tokens = Histogram(
            "voice_llm_chat_tokens",
            "estimated tokens of the chats that the language model was asked with",
            buckets=_TOKENS,
            registry=self.registry,
        )
        self.turn_scores = Counter(
            "voice_turn_scores",
            "questions to the model that judges the end of a turn, by what became of them: told, late, full, failed",
            ["outcome"],
            registry=self.registry,
        )
        self.tool_calls = Counter(
            "voice_tool_calls",
            "calls of tools, by who carries them out and by their outcome",
            ["by", "outcome"],
            registry=self.registry,
        )
        self.tool_seconds = Histogram(
            "voice_tool_call_seconds",
            "time from the model's call of a tool to its result, by who carries it out",
            ["by"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.summaries = Counter(
            "voice_summaries", "summaries of the oldest of a call, by how they ended", ["end"], registry=self.registry
        )
        self.loop_lag = Gauge(
            "voice_event_loop_lag_seconds", "longest wait for the event loop within a second", registry=self.registry
        )
        self.failures = Counter(
            "voice_failures", "backend failures told to callers", ["failure"], registry=self.registry
        )
        self.backend_up = Gauge("voice_backend_up", "1 = the last probe succeeded", ["backend"], registry=self.registry)
        self.speech_servers = Gauge(
            "voice_speech_servers",
            "servers of recognition and synthesis, by what is known of their health",
            ["backend", "health"],
            registry=self.registry,
        )
        self.transcriptions = Gauge(
            "voice_transcriptions_active", "transcription streams held now", registry=self.registry
        )
        self.transcriptions_refused = Counter(
            "voice_transcriptions_refused",
            "transcription streams that were refused or ended in an error, by its code",
            ["code"],
            registry=self.registry,
        )
        self.transcriptions_held_back = Counter(
            "voice_transcriptions_held_back",
            "warnings to transcription clients that their audio is held back, by reason: faster than real time, or "
            "recognition is behind",
            ["reason"],
            registry=self.registry,
        )
        self.first_partial = Histogram(
            "voice_transcription_first_partial_seconds",
            "start of speech to the first partial of its utterance on a transcription stream",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.asr_streams = Gauge(
            "voice_asr_streams",
            "open recognition streams, by the target that serves them: primary or fallback",
            ["target"],
            registry=self.registry,
        )
        self.asr_target_up = Gauge(
            "voice_asr_target_up",
            "1 = a server of this target of recognition takes streams: primary or fallback",
            ["target"],
            registry=self.registry,
        )
        self.asr_target_preferred = Gauge(
            "voice_asr_target_preferred",
            "1 = this target of recognition goes first (ASR_PREFERRED): primary or fallback",
            ["target"],
            registry=self.registry,
        )
        self.latencies = {
            name: Histogram(
                f"voice_{name}_seconds", f"{start.value} to {end.value}", buckets=_SECONDS, registry=self.registry
            )
            for name, (start, end) in LATENCIES.items()
        }
        self.latencies["asr_lag"] = Histogram(
            "voice_asr_lag_seconds",
            "how far the recogniser was behind when a turn ended",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def draft_over(self, *, released: bool, ahead_s: float, pieces: int) -> None:
        """A draft was released or retracted."""
        self.drafts.labels("released" if released else "retracted").inc()
        if released:
            self.draft_ahead.observe(ahead_s)
        else:
            self.draft_waste.inc(pieces)

    def tool_over(self, by: str, outcome: str, seconds: float) -> None:
        """A call of a tool is over, or was cancelled."""
        self.tool_calls.labels(by, outcome).inc()
        self.tool_seconds.labels(by).observe(seconds)

    def measured(self, latencies: dict[str, float]) -> None:
        """One turn's latencies, by name."""
        for name, seconds in latencies.items():
            if seconds > _LONGEST_S:
                continue
            self.latencies[name].observe(seconds)
