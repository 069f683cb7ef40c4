"""What a caller asks for is checked field by field; every refusal says what to send instead."""

import math
from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from pcm import AudioFormat, Encoding
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options
from voice_gateway.core.events import SETTABLE, CallOptions
from voice_gateway.edges.contract.decode import agree, typed_text, update
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import BadRequest, Forbidden, Unsupported
from voice_workflow.v1 import voice_workflow_pb2 as pb

LIMITS = Limits()


@pytest.fixture
def defaults() -> CallOptions:
    return call_options(Settings(tts_voice="Anna", tts_sample_rate=22050, greeting="Hi"))


def offered(options: CallOptions) -> Callable[[str], CallOptions]:
    """What a gateway offers that serves every language alike."""
    return lambda language: replace(options, language=language or options.language)


def endpointing(**fields: float) -> pb.SessionStart:
    return pb.SessionStart(endpointing=pb.EndpointingOptions(**fields))  # type: ignore[arg-type]


def llm(**fields: float) -> pb.SessionStart:
    return pb.SessionStart(llm=pb.LlmOptions(**fields))  # type: ignore[arg-type]


def input_format(**fields: int) -> pb.SessionStart:
    return pb.SessionStart(input=pb.AudioFormat(**fields))  # type: ignore[arg-type]


def output_format(**fields: int) -> pb.SessionStart:
    return pb.SessionStart(output=pb.AudioFormat(**fields))  # type: ignore[arg-type]


def test_an_empty_start_gets_what_the_operator_chose(defaults: CallOptions) -> None:
    agreed = agree(pb.SessionStart(), offered(defaults), LIMITS)
    assert agreed.options == defaults
    assert agreed.input == AudioFormat(Encoding.PCM16, 16000)
    assert agreed.output == AudioFormat(Encoding.PCM16, 22050)


def test_everything_a_caller_asks_for_is_taken(defaults: CallOptions) -> None:
    start = pb.SessionStart(
        input=pb.AudioFormat(encoding=pb.AUDIO_ENCODING_MULAW, sample_rate_hz=8000, channels=1),
        output=pb.AudioFormat(encoding=pb.AUDIO_ENCODING_ALAW, sample_rate_hz=48000),
        language="de-DE",
        voice="Bert",
        system_prompt="Be brief.",
        hotwords=[pb.Hotword(phrase="Riva", boost=20)],
        turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK,
        llm=pb.LlmOptions(temperature=0, max_tokens=7, model="other"),
        endpointing=pb.EndpointingOptions(end_on_final=True, max_turn_s=10),
        metadata={"tenant": "7"},
        greeting="Hallo",
    )
    agreed = agree(start, offered(defaults), LIMITS)
    options = agreed.options
    assert (agreed.input, agreed.output) == (AudioFormat(Encoding.MULAW, 8000), AudioFormat(Encoding.ALAW, 48000))
    assert (options.language, options.voice, options.system_prompt) == ("de-DE", "Bert", "Be brief.")
    assert (options.greeting, options.output_rate_hz) == ("Hallo", 22050)
    assert (options.llm.temperature, options.llm.max_tokens, options.llm.model) == (0.0, 7, "other")
    assert (options.policy.decides, options.policy.end_on_final, options.policy.max_turn) == (False, True, 10.0)
    assert (options.hotwords, options.metadata) == ((("Riva", 20.0),), (("tenant", "7"),))


def test_a_call_greets_only_where_somebody_wrote_a_greeting() -> None:
    silent = call_options(Settings())
    assert not agree(pb.SessionStart(), offered(silent), LIMITS).options.policy.greets
    assert agree(pb.SessionStart(greeting="Hi"), offered(silent), LIMITS).options.policy.greets


@pytest.mark.parametrize("code", [pb.AUDIO_ENCODING_UNSPECIFIED, pb.AUDIO_ENCODING_PCM16])
def test_audio_without_an_encoding_is_pcm16(code: pb.AudioEncoding.ValueType, defaults: CallOptions) -> None:
    assert agree(input_format(encoding=code), offered(defaults), LIMITS).input.encoding is Encoding.PCM16


RANGES = [
    ("end_silence_s", 0, 5, "end_silence"),
    ("complete_silence_s", 0, 5, "complete_silence"),
    ("incomplete_silence_s", 0, 10, "incomplete_silence"),
    ("reading_silence_s", 0, 10, "reading_silence"),
    ("max_silence_s", 0.125, 10, "max_silence"),
    ("barge_in_after_s", 0, 2, "barge_in_after"),
    ("max_turn_s", 1, 600, "max_turn"),
]


@pytest.mark.parametrize(("name", "low", "high", "field"), RANGES)
def test_patience_may_be_anything_in_its_range(
    name: str, low: float, high: float, field: str, defaults: CallOptions
) -> None:
    for value in (low, (low + high) / 2, high):
        assert getattr(agree(endpointing(**{name: value}), offered(defaults), LIMITS).options.policy, field) == value


def test_the_words_that_interrupt_may_be_chosen(defaults: CallOptions) -> None:
    for words in (0, 3, 20):
        policy = agree(endpointing(barge_in_words=words), offered(defaults), LIMITS).options.policy
        assert policy.barge_in_words == words
    with pytest.raises(BadRequest, match=r"^endpointing\.barge_in_words = 21 is out of range; send 0 to 20$"):
        agree(endpointing(barge_in_words=21), offered(defaults), LIMITS)


def test_who_asks_for_a_silence_gets_it_after_complete_words_too(defaults: CallOptions) -> None:
    policy = agree(endpointing(end_silence_s=2), offered(defaults), LIMITS).options.policy
    assert (policy.end_silence, policy.complete_silence) == (2, 2)
    policy = agree(endpointing(end_silence_s=2, complete_silence_s=0.25), offered(defaults), LIMITS).options.policy
    assert (policy.end_silence, policy.complete_silence) == (2, 0.25)


@pytest.mark.parametrize(("name", "low", "high", "field"), RANGES)
def test_patience_out_of_its_range_is_refused_with_the_range(
    name: str, low: float, high: float, field: str, defaults: CallOptions
) -> None:
    for value in (low - 0.0625, high + 0.125, -1, inf, -inf, math.nan):
        with pytest.raises(BadRequest, match=rf"^endpointing\.{name} = .* is out of range; send .* to {high:g}$"):
            agree(endpointing(**{name: value}), offered(defaults), LIMITS)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (llm(temperature=2.5), "llm.temperature = 2.5 is out of range; send 0 to 2"),
        (llm(temperature=-0.5), "llm.temperature = -0.5 is out of range; send 0 to 2"),
        (llm(temperature=math.nan), "llm.temperature = nan is out of range; send 0 to 2"),
        (llm(max_tokens=0), "llm.max_tokens = 0 is out of range; send 1 to 4096"),
        (llm(max_tokens=4097), "llm.max_tokens = 4097 is out of range; send 1 to 4096"),
        (input_format(channels=2), "input: 2 channels; mix to mono and send channels = 1"),
        (output_format(channels=6), "output: 6 channels; mix to mono and send channels = 1"),
        (input_format(sample_rate_hz=7999), "input: 7999 Hz is out of range; send 8000 to 48000"),
        (output_format(sample_rate_hz=48001), "output: 48001 Hz is out of range; send 8000 to 48000"),
        (pb.SessionStart(system_prompt="x" * 16385), "system_prompt has 16385 characters; send at most 16384"),
        (pb.SessionStart(greeting="x" * 16385), "greeting has 16385 characters; send at most 16384"),
        (pb.SessionStart(hotwords=[pb.Hotword()] * 501), "501 hotwords are too many; send at most 500"),
        (
            pb.SessionStart(hotwords=[pb.Hotword(phrase="Riva", boost=inf)]),
            "a hotword's boost is no finite number; send 0 for the default, or 20 to 100",
        ),
        (
            pb.SessionStart(metadata={str(n): "" for n in range(33)}),
            "33 metadata entries are too many; send at most 32",
        ),
        (
            pb.SessionStart(turn_detection=9),  # type: ignore[arg-type]
            "turn_detection = 9 is not known; send SERVER or PUSH_TO_TALK",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_start_out_of_range_is_refused_with_a_sentence(
    start: pb.SessionStart, sentence: str, defaults: CallOptions
) -> None:
    with pytest.raises(BadRequest) as caught:
        agree(start, offered(defaults), LIMITS)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (input_format(encoding=pb.AUDIO_ENCODING_OPUS), "send PCM16, MULAW or ALAW"),
        (output_format(encoding=99), "output: this encoding is not served yet"),
    ],
)
def test_what_is_in_the_contract_and_not_served_is_refused_as_such(
    start: pb.SessionStart, sentence: str, defaults: CallOptions
) -> None:
    with pytest.raises(Unsupported, match=sentence):
        agree(start, offered(defaults), LIMITS)


def test_an_update_changes_what_it_names_and_nothing_else(defaults: CallOptions) -> None:
    assert update(defaults, pb.SessionUpdate(), LIMITS) == defaults
    changed = update(
        defaults,
        pb.SessionUpdate(
            voice="Bert",
            system_prompt="",
            language=defaults.language,
            llm=pb.LlmOptions(max_tokens=9),
            endpointing=pb.EndpointingOptions(end_silence_s=0.5),
            turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK,
        ),
        LIMITS,
    )
    assert (changed.voice, changed.system_prompt, changed.llm.max_tokens) == ("Bert", "", 9)
    assert (changed.policy.end_silence, changed.policy.decides) == (0.5, False)
    assert (changed.llm.temperature, changed.policy.max_silence) == (0.5, 1.5)
    back = update(changed, pb.SessionUpdate(turn_detection=pb.TURN_DETECTION_SERVER), LIMITS)
    assert back.policy.decides


@pytest.mark.parametrize(
    ("message", "error", "sentence"),
    [
        (pb.SessionUpdate(language="fr-FR"), Unsupported, "start a new session"),
        (pb.SessionUpdate(tools=[pb.Tool(name="no spaces")]), BadRequest, "letters, digits, _ or -"),
        (pb.SessionUpdate(system_prompt="x" * 16385), BadRequest, "at most 16384"),
        (pb.SessionUpdate(llm=pb.LlmOptions(temperature=3)), BadRequest, "send 0 to 2"),
        (pb.SessionUpdate(endpointing=pb.EndpointingOptions(max_turn_s=0)), BadRequest, "send 1 to 600"),
    ],
)
def test_a_bad_update_is_refused_with_a_sentence(
    message: pb.SessionUpdate, error: type[Exception], sentence: str, defaults: CallOptions
) -> None:
    with pytest.raises(error, match=sentence):
        update(defaults, message, LIMITS)


def test_a_typed_turn_has_words_and_not_too_many() -> None:
    assert typed_text(pb.Text(text=" hello "), LIMITS) == " hello "
    with pytest.raises(BadRequest, match="text is empty; send at least one word"):
        typed_text(pb.Text(text=" \n"), LIMITS)
    with pytest.raises(BadRequest, match="text has 16385 characters; send at most 16384"):
        typed_text(pb.Text(text="x" * 16385), LIMITS)


# ---------------------------------------------------------------------- what only the operator may choose

ASKED = {
    "language": pb.SessionStart(language="de-DE"),
    "voice": pb.SessionStart(voice="Bert"),
    "system_prompt": pb.SessionStart(system_prompt="Obey."),
    "greeting": pb.SessionStart(greeting="Ho"),
    "model": pb.SessionStart(llm=pb.LlmOptions(model="other")),
    "temperature": pb.SessionStart(llm=pb.LlmOptions(temperature=2)),
    "max_tokens": pb.SessionStart(llm=pb.LlmOptions(max_tokens=4096)),
    "hotwords": pb.SessionStart(hotwords=[pb.Hotword(phrase="Riva")]),
    "endpointing": pb.SessionStart(endpointing=pb.EndpointingOptions(end_silence_s=4)),
    "turn_detection": pb.SessionStart(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK),
    "tools": pb.SessionStart(tools=[pb.Tool(name="open_door")]),
}


@pytest.mark.parametrize("name", sorted(SETTABLE))
def test_each_field_is_refused_where_the_operator_chooses_it_and_taken_where_not(
    name: str, defaults: CallOptions
) -> None:
    with pytest.raises(Forbidden, match=f"^{name} is chosen by the operator of this gateway; leave it empty"):
        agree(ASKED[name], offered(defaults), replace(LIMITS, may_set=SETTABLE - {name}))
    assert agree(ASKED[name], offered(defaults), replace(LIMITS, may_set=frozenset({name}))).options != defaults


def test_what_holds_anyway_may_be_asked_for(defaults: CallOptions) -> None:
    start = pb.SessionStart(
        language=defaults.language,
        voice=defaults.voice,
        system_prompt=defaults.system_prompt,
        greeting=defaults.greeting,
        llm=pb.LlmOptions(model=defaults.llm.model, temperature=0.5, max_tokens=defaults.llm.max_tokens),
        turn_detection=pb.TURN_DETECTION_SERVER,
        metadata={"tenant": "7"},
    )
    agreed = agree(start, offered(defaults), replace(LIMITS, may_set=frozenset()))
    assert agreed.options == replace(defaults, metadata=(("tenant", "7"),))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("voice", pb.SessionUpdate(voice="Bert")),
        ("system_prompt", pb.SessionUpdate(system_prompt="Obey.")),
        ("system_prompt", pb.SessionUpdate(system_prompt="")),
        ("model", pb.SessionUpdate(llm=pb.LlmOptions(model="other"))),
        ("temperature", pb.SessionUpdate(llm=pb.LlmOptions(temperature=2))),
        ("max_tokens", pb.SessionUpdate(llm=pb.LlmOptions(max_tokens=1))),
        ("endpointing", pb.SessionUpdate(endpointing=pb.EndpointingOptions(end_on_final=True))),
        ("turn_detection", pb.SessionUpdate(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)),
        ("tools", pb.SessionUpdate(tools=[pb.Tool(name="open_door")])),
    ],
)
def test_an_update_changes_nothing_that_only_the_operator_may(
    name: str, message: pb.SessionUpdate, defaults: CallOptions
) -> None:
    with pytest.raises(Forbidden, match=f"^{name} is chosen by the operator"):
        update(defaults, message, replace(LIMITS, may_set=SETTABLE - {name}))
    assert update(defaults, message, LIMITS) != defaults


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (pb.SessionStart(language="x" * 129), "language has 129 characters; send at most 128"),
        (pb.SessionStart(voice="x" * 129), "voice has 129 characters; send at most 128"),
        (pb.SessionStart(llm=pb.LlmOptions(model="x" * 129)), "llm.model has 129 characters; send at most 128"),
        (pb.SessionStart(hotwords=[pb.Hotword(phrase="x" * 101)]), "a hotword has 101 characters; send at most 100"),
        (pb.SessionStart(hotwords=[pb.Hotword(phrase="x", boost=1e9)]), "a hotword's boost = 1e\\+09 is out of range"),
        (pb.SessionStart(metadata={"x" * 65: ""}), "a metadata key has 65 characters; send at most 64"),
        (pb.SessionStart(metadata={"x": "x" * 513}), "a metadata value has 513 characters; send at most 512"),
        (pb.SessionStart(voice="An\nna"), "voice holds a control character or a line end; send letters"),
        (pb.SessionStart(language="de\x00"), "language holds a control character"),
        (pb.SessionStart(metadata={"x": "a\x92"}), "a metadata value holds a control character"),
    ],
)
def test_what_is_too_long_or_no_text_is_refused(start: pb.SessionStart, sentence: str, defaults: CallOptions) -> None:
    with pytest.raises(BadRequest, match=sentence):
        agree(start, offered(defaults), LIMITS)
