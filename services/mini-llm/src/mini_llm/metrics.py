"""What does the server count? The names are vLLM's, so that one dashboard shows this server and a NIM."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.running = Gauge("vllm:num_requests_running", "requests that are being answered", registry=self.registry)
        self.waiting = Gauge("vllm:num_requests_waiting", "requests that wait: always 0", registry=self.registry)
        self.prompt_tokens = Counter("vllm:prompt_tokens", "words of all prompts", registry=self.registry)
        self.generation_tokens = Counter("vllm:generation_tokens", "tokens sent", registry=self.registry)
        self.ended = Counter(
            "vllm:request_success",
            "requests by their end: stop, length, abort (the client left), error (a fault)",
            ["finished_reason"],
            registry=self.registry,
        )
        self.time_to_first_token_s = Histogram(
            "vllm:time_to_first_token_seconds",
            "seconds from a request to its first token",
            buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0),
            registry=self.registry,
        )
