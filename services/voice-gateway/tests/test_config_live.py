"""The live file is taken whole or not at all, and its refusal names every bad variable."""

import pytest
from serving.settings import BadSettings
from voice_gateway.config import Settings
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


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"{}", b"null", b"live: null", b"~", b"COLOR: red"])
def test_a_file_without_any_live_setting_changes_nothing_and_is_refused(content: bytes) -> None:
    good = looked(Live(STARTUP), STARTUP, b"LLM_TEMPERATURE: 1")
    empty = looked(good, STARTUP, content)
    assert (empty.settings, empty.taken) == (good.settings, good.taken)
    assert empty.refused.startswith("the live file names no live setting")
    assert begun(STARTUP, content).settings == STARTUP
    assert begun(STARTUP, content).refused == empty.refused


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
        (b"LLM_TEMPERATUR: 1\nGREETING: Hi", r"^LLM_TEMPERATUR: is no setting; is LLM_TEMPERATURE meant\?$"),
        (b"llm_model: x\nGREETING: Hi", r"^llm_model: is no setting; is LLM_MODEL meant\?$"),
        (b"COLOR: red\nGREETING: Hi", r"^COLOR: is no setting$"),
        (b"LLM_MODEL: a\nGREETING: Hi\nLLM_MODEL: b", r"^LLM_MODEL: stands there twice; take one of the lines out$"),
        (b"TURN_MAX_S: .inf", r"^TURN_MAX_S: .*finite number"),
        (b"TURN_MAX_S: 1.0e+999999", r"^TURN_MAX_S: .*finite number"),
        (b"TURN_MAX_S: '1e999999'", r"^TURN_MAX_S: .*finite number"),
        (b"GATEWAY_MAX_SESSIONS: 9999999999999999999999", r"^GATEWAY_MAX_SESSIONS: .*less than or equal to 100000"),
        (b'GREETING: "Hi\\x92"', r"^GREETING: .*control character U\+0092 at 3; take it out"),
        (b'GREETING: "\\x7f"', r"^GREETING: .*control character U\+007F at 1"),
        (b'LLM_SYSTEM_PROMPT: "a\\0"', r"^LLM_SYSTEM_PROMPT: .*control character U\+0000 at 2"),
        (b"GREETING: Hi\xc2\x92", r"^the live file is no YAML: .*"),
        (
            b"GATEWAY_PORT: 7\nGREETING: Hi",
            r"^GATEWAY_PORT: can't change while the gateway runs; set it in the environment",
        ),
        (b"TURN_BARGE_IN_AFTER_S: 0.05", r"^VAD_OVERLAP_HANGOVER_S: .*below TURN_BARGE_IN_AFTER_S"),
        (b"- LLM_MODEL", r"^the live file must be a mapping, one NAME: value on each line$"),
        (b"a: b: c", r"^the live file is no YAML: .*line 1"),
        (b"\xff\xfe\x00", r"^the live file is no YAML: "),
        (b"[" * 1500, r"^the live file holds lists within lists, or too much; write one NAME: value on each line$"),
        (b"A: " + b"{a: " * 9, r"^the live file holds lists within lists"),
        (b"".join(b"A%d: 1\n" % n for n in range(600)), r"^the live file holds .* too much"),
        (b"GREETING: &a Hi\nTURN_IDLE_PROMPT: *a\n", r"^the live file has anchors or aliases"),
        (b"GREETING: &a Hi\n", r"^the live file has anchors or aliases"),
        (b"GATEWAY_MAX_SESSIONS: 1" + b":59" * 80_000, r"^the live file holds a number of 240001 digits"),
        (b"GATEWAY_MAX_SESSIONS: 0x" + b"f" * 200_000, r"^the live file holds a number of 200002 digits"),
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


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (after, after, b", ".join([b"*%c" % before] * 9))
    for before, after in zip(b"abcdefghi", b"bcdefghij", strict=True)
)


@pytest.mark.parametrize("content", [BOMB, BOMB + b"GREETING: *j\n", b"a: &a [*a]\n", b"<<: *x\n"])
def test_a_file_of_aliases_is_refused_before_anything_is_made_of_it(content: bytes) -> None:
    with pytest.raises(BadSettings, match=r"^the live file has anchors or aliases \(& and \*\); write each value out"):
        merged(STARTUP, content)


def test_a_long_prompt_without_quotes_is_no_number() -> None:
    prompt = "be brief " * 200
    assert merged(STARTUP, f"LLM_SYSTEM_PROMPT: {prompt}".encode()).llm_system_prompt == prompt.strip()
    letters = "abc " * 100
    assert merged(STARTUP, f"GREETING: {letters}".encode()).greeting == letters.strip()
