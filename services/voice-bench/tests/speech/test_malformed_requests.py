"""Does the fuzzer send every kind of request, the same for the same seed?"""

import random

from voice_bench.speech import malformed_requests


def test_a_seed_always_gives_the_same_requests() -> None:
    ones, others = (
        [(malformed_requests.rpc(rng), malformed_requests.http(rng), malformed_requests.event(rng)) for _ in range(50)]
        for rng in (random.Random("7"), random.Random("7"))
    )
    assert ones == others


def test_every_method_and_endpoint_comes_up() -> None:
    rng = random.Random("8")
    methods = {malformed_requests.rpc(rng)[0].rpartition("/")[2] for _ in range(300)}
    assert methods == {
        "Recognize", "StreamingRecognize", "GetRivaSpeechRecognitionConfig",
        "Synthesize", "SynthesizeOnline", "GetRivaSynthesisConfig",
    }  # fmt: skip
    paths = {malformed_requests.http(rng)[1] for _ in range(300)}
    assert {"/v1/audio/transcriptions", "/v1/audio/speech", "/v1/models", "/v1/realtime"} <= paths


def test_broken_bytes_differ_from_the_whole_ones_most_of_the_time() -> None:
    rng = random.Random("9")
    whole = bytes(range(100))
    assert sum(malformed_requests.corrupt(whole, rng) != whole for _ in range(200)) > 190
    assert all(isinstance(malformed_requests.corrupt(b"", rng), bytes) for _ in range(20))
