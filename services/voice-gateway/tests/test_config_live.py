"""The live file is taken whole or not at all, and its refusal names every bad variable."""

import pytest
from voice_gateway.config import BadSettings, Settings
from voice_gateway.config_live import MAX_BYTES, Live, begun, looked, merged

STARTUP = Settings(llm_temperature=0.5, greeting="Hello", gateway_port=7, riva_host="riva")


def test_the_file_wins_over_the_start_and_the_rest_stays() -> None:
    settings = merged(STARTUP, b"LLM_TEMPERATURE: 0.1\nGREETING: ''\nTURN_IDLE_TRIES: 3\n")
    assert (settings.llm_temperature, settings.greeting, settings.turn_idle_tries) == (0.1, "", 3)
    assert (settings.gateway_port, settings.riva_host) == (7, "riva")


def test_the_environment_of_now_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MAX_TOKENS", "99")
    monkeypatch.setenv("GREETING", "changed")
    settings = merged(STARTUP, b"LLM_TEMPERATURE: 0.1")
    assert (settings.llm_max_tokens, settings.greeting) == (STARTUP.llm_max_tokens, "Hello")


@pytest.mark.parametrize("text", ["LLM_TEMPERATURE: '1.5'", 'LLM_TEMPERATURE: "1.5"', "LLM_TEMPERATURE: 1.5"])
def test_a_quoted_number_is_a_number_as_in_the_environment(text: str) -> None:
    assert merged(STARTUP, text.encode()).llm_temperature == 1.5


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"{}"])
def test_an_empty_file_leaves_everything_as_it_started(content: bytes) -> None:
    assert merged(STARTUP, content) == STARTUP


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"LLM_TEMPERATURE: 3", r"^LLM_TEMPERATURE: .*less than or equal to 2 \(got 3\)$"),
        (b"LLM_MAX_TOKENS: many", r"^LLM_MAX_TOKENS: .*valid integer"),
        (b"LLM_MAX_TOKENS: true", r"^LLM_MAX_TOKENS: must not be true"),
        (b"GREETING: no", r"^GREETING: must not be false; put words in quotes$"),
        (b"GREETING: 5", r"^GREETING: .*valid string"),
        (b"LLM_MODEL: [a, b]", r"^LLM_MODEL: .*valid string"),
        (b"LOG_LEVEL: LOUD", r"^LOG_LEVEL: .*'DEBUG'"),
        (b"TURN_MAX_S: .nan", r"^TURN_MAX_S: "),
        (b"TURN_MAX_S:", r"^TURN_MAX_S: has no value; give one, or leave the line out$"),
        (b"LLM_TEMPERATUR: 1", r"^LLM_TEMPERATUR: is no setting; is LLM_TEMPERATURE meant\?$"),
        (b"llm_model: x", r"^llm_model: is no setting; is LLM_MODEL meant\?$"),
        (b"COLOR: red", r"^COLOR: is no setting$"),
        (b"GATEWAY_PORT: 7", r"^GATEWAY_PORT: can't change while the gateway runs; set it in the environment"),
        (b"TURN_BARGE_IN_AFTER_S: 0.05", r"^VAD_OVERLAP_HANGOVER_S: .*below TURN_BARGE_IN_AFTER_S"),
        (b"- LLM_MODEL", r"^the live file must be a mapping, one NAME: value a line$"),
        (b"a: b: c", r"^the live file is no YAML: .*line 1"),
        (b"\xff\xfe\x00", r"^the live file is no YAML: "),
        (b"[" * 1500, r"^the live file is no YAML: "),
        (b"#" * (MAX_BYTES + 1), r"^the live file holds \d+ bytes; \d+ are the most$"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(BadSettings, match=sentence):
        merged(STARTUP, content)


def test_every_bad_variable_is_named_at_once() -> None:
    content = b"LLM_TEMPERATURE: 3\nRIVA_HOST: elsewhere\nNONSENSE: 1\nVAD_START: 7\nLLM_MODEL: good\n"
    with pytest.raises(BadSettings) as caught:
        merged(STARTUP, content)
    assert [part.split(":")[0] for part in str(caught.value).split("; ")] == [
        "RIVA_HOST",
        "set it in the environment and restart",
        "NONSENSE",
        "LLM_TEMPERATURE",
        "VAD_START",
    ]


def test_a_bad_file_changes_nothing_and_is_refused_until_it_is_good_again() -> None:
    good = looked(Live(STARTUP), STARTUP, b"LLM_TEMPERATURE: 1")
    bad = looked(good, STARTUP, b"LLM_TEMPERATURE: 11")
    assert (bad.settings, bad.taken) == (good.settings, good.taken)
    assert bad.refused.startswith("LLM_TEMPERATURE: ")
    assert looked(bad, STARTUP, b"LLM_TEMPERATURE: 11") is bad
    again = looked(bad, STARTUP, b"LLM_TEMPERATURE: 1")
    assert again == good


def test_a_file_that_is_gone_is_told_and_what_it_said_goes_on_to_hold() -> None:
    good = looked(Live(STARTUP), STARTUP, b"LLM_TEMPERATURE: 1")
    gone = looked(good, STARTUP, "/live.yaml can't be read (No such file or directory)")
    assert (gone.settings.llm_temperature, gone.taken) == (1, good.taken)
    assert gone.refused == "/live.yaml can't be read (No such file or directory)"
    assert looked(gone, STARTUP, b"LLM_TEMPERATURE: 1") == good


def test_a_line_that_is_taken_out_of_the_file_holds_no_more() -> None:
    first = looked(Live(STARTUP), STARTUP, b"LLM_TEMPERATURE: 1\nGREETING: Hi")
    second = looked(first, STARTUP, b"GREETING: Hi")
    assert (second.settings.llm_temperature, second.settings.greeting) == (0.5, "Hi")
    assert second.taken != first.taken
    assert len(second.taken) == 12


def test_at_the_start_a_line_that_harms_another_setting_takes_all_lines_with_it() -> None:
    live = begun(STARTUP, b"TURN_BARGE_IN_AFTER_S: 0.05\nGREETING: Hi\n")
    assert live.settings == STARTUP
    assert "VAD_OVERLAP_HANGOVER_S: " in live.refused


def test_at_the_start_a_file_that_is_no_mapping_leaves_the_environment() -> None:
    live = begun(STARTUP, b"a: b: c")
    assert (live.settings, live.taken) == (STARTUP, "")
    assert "no YAML" in live.refused


def test_a_file_that_was_refused_at_the_start_is_taken_once_it_is_good() -> None:
    live = begun(STARTUP, b"GREETING: Hi\nCOLOR: red\n")
    assert live.settings.greeting == "Hi"
    live = looked(live, STARTUP, b"GREETING: Ho\n")
    assert (live.settings.greeting, live.refused, live.taken) == ("Ho", "", live.seen)
