"""What a caller may ask for."""

import math

import pytest
from speech_server.core.asr.asr_types import AsrModel
from speech_server.core.asr.endpointer import Endpointing
from speech_server.core.asr.recognition_plan import (
    AsrPolicy,
    EndpointingOptions,
    choose_endpointing,
    choose_language,
    choose_phrases,
)
from speech_server.errors import BadRequest

OURS = Endpointing()
MODELS = [AsrModel("parakeet", ("en-US", "de-DE")), AsrModel("canary", ("fr-FR",))]
STRICT = AsrPolicy(OURS, "strict", "strict")
LENIENT = AsrPolicy(OURS, "ignore", "ignore")


def test_nothing_asked_for_gets_the_operators_endpointing() -> None:
    assert choose_endpointing(EndpointingOptions(), {}, OURS) == OURS


@pytest.mark.parametrize("nothing", [0, -1, -800])
def test_zero_and_negative_values_mean_the_operators(nothing: int) -> None:
    wish = EndpointingOptions(nothing, nothing, nothing, nothing, nothing, nothing)
    assert choose_endpointing(wish, {}, OURS) == OURS


def test_a_value_that_is_no_number_means_the_operators() -> None:
    assert choose_endpointing(EndpointingOptions(stop_threshold=math.nan), {"neural_vad.onset": "x"}, OURS) == OURS


def test_set_values_win_each_for_itself() -> None:
    chosen = choose_endpointing(EndpointingOptions(stop_history_ms=320), {}, OURS)
    assert chosen.stop_history_s == 0.32
    assert chosen.start_history_s == OURS.start_history_s


def test_the_custom_keys_of_a_voice_activity_build_are_understood() -> None:
    custom = {"neural_vad.onset": "0.85", "neural_vad.offset": "0.3", "stop_history_eou": "240", "unknown": "1"}
    chosen = choose_endpointing(EndpointingOptions(), custom, OURS)
    assert (chosen.onset, chosen.offset, chosen.stop_history_eou_s) == (0.85, 0.3, 0.24)


def test_no_history_can_fill_the_memory() -> None:
    assert choose_endpointing(EndpointingOptions(stop_history_ms=2**31 - 1), {}, OURS).stop_history_s == 30.0


def test_the_first_language_of_the_first_model_is_the_default() -> None:
    assert choose_language("", "", None, MODELS, STRICT) == "en-US"


def test_languages_are_compared_whatever_their_case_and_region() -> None:
    assert choose_language("", "DE-de", None, MODELS, STRICT) == "de-DE"
    assert choose_language("", "en-GB", None, MODELS, STRICT) == "en-US"
    assert choose_language("Canary", "", None, MODELS, STRICT) == "fr-FR"


def test_an_unknown_language_is_refused_naming_what_there_is() -> None:
    with pytest.raises(
        BadRequest, match=r"Unavailable model requested.*language_code=xx-XX.*parakeet \(en-US, de-DE\)"
    ):
        choose_language("", "xx-XX", 16_000, MODELS, STRICT)


def test_a_language_the_named_model_lacks_is_refused() -> None:
    with pytest.raises(BadRequest, match="Unavailable model"):
        choose_language("canary", "en-US", 16_000, MODELS, STRICT)


def test_unknown_names_get_the_default_where_the_operator_ignores_them() -> None:
    assert choose_language("whatever", "xx-XX", None, MODELS, LENIENT) == "en-US"


def test_an_unknown_model_is_refused_where_the_operator_is_strict() -> None:
    with pytest.raises(BadRequest, match="model=whatever"):
        choose_language("whatever", "en-US", None, MODELS, STRICT)


def test_any_finite_boost_is_taken() -> None:
    assert choose_phrases([(("a", "b"), 100.0), (("c",), -5.0)]) == (("a", 100.0), ("b", 100.0), ("c", -5.0))


def test_a_boost_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadRequest, match="boost"):
        choose_phrases([(("a",), math.inf)])


@pytest.mark.parametrize(
    ("phrases", "sentence"),
    [
        (["a"] * 1001, "1001 phrases; send at most 1000"),
        (["a" * 101], "phrase of 101 characters; send at most 100"),
        (["\ufdfa" * 6], "phrase of 108 characters; send at most 100"),
        (["a" * 100] * 201, "20100 characters in all phrases; send at most 20000"),
    ],
)
def test_more_phrases_than_are_looked_for_are_refused(phrases: list[str], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        choose_phrases([(phrases[:1], 4.0), (phrases[1:], 4.0)])
    with pytest.raises(BadRequest, match=r"^keywords has"):
        choose_phrases([(phrases, 4.0)], "keywords")


def test_as_many_phrases_as_are_looked_for_are_taken() -> None:
    assert len(choose_phrases([(["a" * 20] * 1000, 4.0)])) == 1000
