"""Every setting comes from the environment, and an error names its variable."""

import re
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from pydantic import ValidationError
from serving.settings import BadSettings, read
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options, gate_policies, turn_policy
from voice_gateway.config_languages import built_in
from voice_gateway.config_table import described, table
from voice_gateway.core.events import SETTABLE
from voice_gateway.core.language import Language

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_any_variable_the_defaults_hold() -> None:
    settings = read(Settings)
    ports = (settings.gateway_port, settings.gateway_http_port, settings.gateway_web_port)
    assert ports == (50050, 8080, 8090)
    assert (settings.asr_target, settings.tts_target) == ("localhost:50051", "localhost:50051")
    assert settings.gateway_journal_dir is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ASR_LANGUAGE", "hi-IN", "hi-IN"),
        ("ASR_SAMPLE_RATE", "16000", 16000),
        ("TTS_SAMPLE_RATE", "22050", 22050),
        ("LLM_MODEL", "meta/llama-3.3-70b-instruct", "meta/llama-3.3-70b-instruct"),
        ("LLM_TEMPERATURE", "0.2", 0.2),
        ("LLM_MAX_TOKENS", "128", 128),
        ("RIVA_SSL", "true", True),
        ("RIVA_SSL", "0", False),
        ("RIVA_PORT", "0", 0),
        ("TURN_END_ON_FINAL", "yes", True),
        ("GATEWAY_JOURNAL_DIR", "/var/journal", Path("/var/journal")),
        ("LOG_LEVEL", "DEBUG", "DEBUG"),
        ("TTS_VOICE", "", ""),
        ("RIVA_PORT", "", 50051),
    ],
)
def test_a_variable_as_an_env_file_holds_it_is_understood(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    assert getattr(read(Settings), name.lower()) == value


BAD = {
    "GATEWAY_PORT": "65536",
    "GATEWAY_HTTP_PORT": "http",
    "GATEWAY_WEB_PORT": "web",
    "GATEWAY_MAX_SESSIONS": "0",
    "GATEWAY_RESUME_GRACE_S": "-1",
    "GATEWAY_MAX_SESSION_S": "nan",
    "GATEWAY_START_TIMEOUT_S": "0",
    "GATEWAY_DRAIN_S": "soon",
    "LOG_LEVEL": "LOUD",
    "RIVA_PORT": "-1",
    "RIVA_SSL": "perhaps",
    "ASR_SAMPLE_RATE": "8000",
    "ASR_STOP_HISTORY_MS": "1.5",
    "ASR_CHUNK_MS": "5",
    "ASR_OUTAGE_S": "-1",
    "LLM_TEMPERATURE": "2.1",
    "LLM_MAX_TOKENS": "5000",
    "LLM_SYSTEM_PROMPT": "x" * 16385,
    "LLM_HISTORY": "0",
    "LLM_CONTEXT_TOKENS": "1000",
    "LLM_SUMMARY_TOKENS": "49",
    "LLM_SUMMARY_TIMEOUT_S": "0",
    "LLM_SUMMARY_PROMPT": "x" * 16385,
    "TTS_SAMPLE_RATE": "fast",
    "TTS_AHEAD_S": "0",
    "PLAYOUT_LEAD_MS": "20",
    "PLAYOUT_FRAME_MS": "1000",
    "TURN_END_SILENCE_S": "-0.1",
    "TURN_COMPLETE_SILENCE_S": "-0.1",
    "TURN_READING_SILENCE_S": "nan",
    "TURN_SCORER": "model",
    "TURN_COMPLETE_SCORE": "0",
    "TURN_MAX_S": "0",
    "VAD": "loud",
    "VAD_START": "0",
    "VAD_STOP": "1.1",
    "VAD_START_FRAMES": "0",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_in_the_name_of_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, BAD[name])
    with pytest.raises(ValueError, match=rf"^{name}: .+ \(got ") as caught:
        read(Settings)
    assert ";" not in str(caught.value)


def test_every_bad_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVA_PORT", "x")
    monkeypatch.setenv("VAD", "y")
    with pytest.raises(ValueError, match=r"RIVA_PORT: .*; VAD: "):
        read(Settings)


def test_a_context_that_the_prompt_fills_is_refused_with_the_one_it_needs() -> None:
    prompt = "word " * 3000
    with pytest.raises(ValueError, match=r"must be 7500 at least, twice the estimated tokens of LLM_SYSTEM_PROMPT"):
        Settings(llm_system_prompt=prompt, llm_context_tokens=7499)
    assert Settings(llm_system_prompt=prompt, llm_context_tokens=7500).llm_context_tokens == 7500


def test_the_targets_may_differ() -> None:
    settings = Settings(riva_host="riva", riva_asr_uri="asr:1", riva_tts_uri="tts:2")
    assert (settings.asr_target, settings.tts_target) == ("asr:1", "tts:2")
    assert Settings(riva_host="riva", riva_port=9).asr_target == "riva:9"


def test_the_key_of_the_language_model_is_never_shown() -> None:
    settings = Settings.model_validate({"llm_api_key": "nvapi-secret"})
    assert "nvapi-secret" not in repr(settings) + str(settings.model_dump())
    assert settings.llm_api_key.get_secret_value() == "nvapi-secret"


def test_the_machine_is_as_patient_as_the_operator_says() -> None:
    settings = Settings(
        turn_end_silence_s=0.1,
        turn_max_silence_s=0.2,
        turn_end_on_final=True,
        turn_barge_in_after_s=0.3,
        turn_preemptive=False,
        turn_preemptive_tries=9,
        turn_preemptive_max_speech_s=2,
        turn_max_s=4,
        turn_lag_slack_s=0.5,
        turn_max_lag_s=6,
        turn_idle_after_s=7,
        turn_idle_tries=8,
        greeting="Hi",
    )
    policy = call_options(settings).policy
    assert (policy.end_silence, policy.max_silence, policy.end_on_final, policy.barge_in_after) == (0.1, 0.2, True, 0.3)
    assert (policy.max_turn, policy.lag_slack, policy.max_lag) == (4, 0.5, 6)
    assert (policy.idle_after, policy.idle_tries, policy.greets, policy.decides) == (7, 8, True, True)
    assert (policy.drafts, policy.draft_tries, policy.draft_max_speech) == (False, 9, 2)
    assert call_options(Settings()).policy.drafts


def test_no_idle_time_means_for_ever_and_no_greeting_means_the_caller_begins() -> None:
    policy = call_options(Settings()).policy
    assert (policy.idle_after, policy.greets) == (inf, False)


def test_no_sentence_is_ordered_that_the_language_does_not_have() -> None:
    mute = turn_policy(Settings(turn_idle_tries=3), Language("xx"))
    assert (mute.idle_tries, mute.says_goodbye, mute.greets) == (0, False, False)
    spoken = turn_policy(Settings(turn_idle_tries=3), Language("xx", idle_prompt="a", goodbye="b", greeting="c"))
    assert (spoken.idle_tries, spoken.says_goodbye, spoken.greets) == (3, True, True)


def test_a_caller_who_asks_for_nothing_gets_the_operators_choice() -> None:
    settings = Settings(
        asr_language="de-DE", tts_voice="Anna", tts_sample_rate=22050, greeting="Hallo", llm_model="m", llm_max_tokens=9
    )
    options = call_options(settings)
    assert (options.language, options.voice, options.output_rate_hz, options.greeting) == (
        "de-DE",
        "Anna",
        22050,
        "Hallo",
    )
    assert (options.llm.model, options.llm.temperature, options.llm.max_tokens) == ("m", 0.5, 9)
    assert options.policy.greets
    assert options.system_prompt == built_in().find("de-DE").system_prompt


def test_the_gate_has_the_operators_numbers_and_judges_a_sound_over_a_reply_more_quickly() -> None:
    policies = gate_policies(
        Settings(vad_start=0.6, vad_stop=0.2, vad_start_frames=3, vad_hangover_s=0.5, vad_overlap_hangover_s=0.15)
    )
    turn = policies.turn
    assert (turn.start, turn.stop, turn.start_frames, turn.hangover_s) == (0.6, 0.2, 3, 0.5)
    assert policies.overlap == replace(turn, hangover_s=0.15)


def test_a_hangover_that_lets_no_cough_end_before_it_interrupts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAD_OVERLAP_HANGOVER_S", "0.2")
    with pytest.raises(ValueError, match=r"^VAD_OVERLAP_HANGOVER_S: .*below TURN_BARGE_IN_AFTER_S \(0\.17\)"):
        read(Settings)
    monkeypatch.setenv("TURN_BARGE_IN_AFTER_S", "0")
    assert read(Settings).vad_overlap_hangover_s == 0.2


def test_the_table_holds_every_variable_once_with_its_meaning() -> None:
    rows = table().splitlines()
    assert rows[0] == "| variable | default | live | meaning |"
    assert [re.split(r" *\| *", row)[1].strip("`") for row in rows[2:]] == NAMES
    assert all(row.count("|") == 5 and re.split(r" *\| *", row)[4] for row in rows[2:])


def test_the_list_for_programs_says_what_a_chart_needs_to_know() -> None:
    settings = {one["name"]: one for one in described()}
    assert list(settings) == NAMES
    temperature = settings["LLM_TEMPERATURE"]
    assert temperature["description"]
    assert {name: temperature[name] for name in ("default", "type", "minimum", "maximum", "choices", "live")} == {
        "default": 0.5,
        "type": "number",
        "minimum": 0,
        "maximum": 2,
        "choices": None,
        "live": True,
    }
    assert (settings["GATEWAY_PORT"]["type"], settings["GATEWAY_PORT"]["maximum"]) == ("integer", 65535)
    assert (settings["LOG_LEVEL"]["type"], settings["LOG_LEVEL"]["choices"][0]) == ("string", "DEBUG")
    assert settings["ASR_SAMPLE_RATE"]["choices"] == [16000]
    assert (settings["TTS_AHEAD_S"]["minimum"], settings["TTS_AHEAD_S"]["exclusive_minimum"]) == (0, True)
    assert (settings["GATEWAY_LIVE_FILE"]["type"], settings["GATEWAY_LIVE_FILE"]["default"]) == ("string", "")
    assert (settings["TURN_END_ON_FINAL"]["type"], settings["TURN_END_ON_FINAL"]["default"]) == ("boolean", False)
    assert [name for name, one in settings.items() if one["secret"]] == ["LLM_API_KEY"]


def test_what_is_live_is_what_new_calls_can_take_up() -> None:
    live = {one["name"] for one in described() if one["live"]}
    named = (
        "LLM_SYSTEM_PROMPT LLM_MODEL LLM_TEMPERATURE LLM_MAX_TOKENS LLM_HISTORY LLM_CONTEXT_TOKENS "
        "LLM_SUMMARISE LLM_SUMMARY_TOKENS LLM_SUMMARY_TIMEOUT_S LLM_SUMMARY_PROMPT "
        "LLM_FIRST_TOKEN_TIMEOUT_S LLM_TOKEN_TIMEOUT_S LLM_PREWARM LLM_APOLOGY LLM_THINKS_FIRST "
        "TTS_VERBALISE TTS_PHRASE_WAIT_S "
        "TOOL_MAX_ROUNDS TOOL_MAX_PARALLEL TOOL_FILLER_AFTER_S TOOL_LOG_ARGUMENTS "
        "ASR_PREFERRED ASR_LANGUAGE ASR_HOTWORDS ASR_STOP_HISTORY_MS ASR_STOP_HISTORY_EOU_MS "
        "TRANSCRIBE_INTERIM_MS TRANSCRIBE_IDLE_S TRANSCRIBE_MAX_HELD_BACK_S "
        "TTS_VOICE TTS_FIRST_AUDIO_TIMEOUT_S TTS_AUDIO_TIMEOUT_S GREETING VAD_START VAD_STOP VAD_START_FRAMES "
        "VAD_HANGOVER_S VAD_OVERLAP_HANGOVER_S GATEWAY_MAX_SESSIONS GATEWAY_MAX_SESSIONS_PER_TOKEN "
        "GATEWAY_CALLS_PER_MINUTE_PER_TOKEN GATEWAY_AUDIO_S_PER_HOUR_PER_TOKEN GATEWAY_AUDIO_S_PER_DAY_PER_TOKEN "
        "GATEWAY_TYPED_TURNS_PER_MINUTE_PER_TOKEN "
        "GATEWAY_MAX_SESSION_S GATEWAY_WARN_BEFORE_S CALLER_MAY_SET LOG_LEVEL"
    )
    turns = {name for name in NAMES if name.startswith("TURN_")} - {"TURN_SCORER", "TURN_SCORER_MODEL_FILE"}
    assert live == {*named.split(), *turns}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"TURN_SCORER": "smart-turn", "VAD": "none"}, "VAD: .*set VAD=silero"),
        ({"GATEWAY_TLS_CERT_FILE": "c"}, "GATEWAY_TLS_KEY_FILE: .*belong together; set both or none"),
        ({"GATEWAY_TLS_KEY_FILE": "k"}, "GATEWAY_TLS_KEY_FILE: .*belong together; set both or none"),
        ({"GATEWAY_TLS_CLIENT_CA_FILE": "a"}, "GATEWAY_TLS_CLIENT_CA_FILE: .*set GATEWAY_TLS_CERT_FILE, too"),
        (
            {"GATEWAY_HOST": "0.0.0.0"},
            "GATEWAY_PLAINTEXT: .*set GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE",
        ),
        ({"RIVA_CA_FILE": "a"}, "RIVA_CA_FILE: .*set RIVA_SSL=true, too"),
        ({"RIVA_CLIENT_CERT_FILE": "c", "RIVA_CLIENT_KEY_FILE": "k"}, "RIVA_CLIENT_CERT_FILE: .*set RIVA_SSL=true"),
        ({"RIVA_SSL": "true", "RIVA_CLIENT_CERT_FILE": "c"}, "RIVA_CLIENT_KEY_FILE: .*belong together"),
        ({"RIVA_SSL": "true", "RIVA_CLIENT_KEY_FILE": "k"}, "RIVA_CLIENT_KEY_FILE: .*belong together"),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(
    settings: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=sentence):
        read(Settings)


@pytest.mark.parametrize(
    "settings", [{"GATEWAY_PLAINTEXT": "true"}, {"GATEWAY_TLS_CERT_FILE": "c", "GATEWAY_TLS_KEY_FILE": "k"}]
)
def test_other_machines_are_served_with_tls_or_on_the_operators_word(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"GATEWAY_HOST": "0.0.0.0", **settings}.items():
        monkeypatch.setenv(name, value)
    assert read(Settings).gateway_host == "0.0.0.0"


def test_a_long_bad_value_is_not_repeated_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_SYSTEM_PROMPT", "x" * 16385)
    with pytest.raises(BadSettings) as caught:
        read(Settings)
    assert len(str(caught.value)) < 250


def test_the_names_users_of_the_original_workflow_know_are_served() -> None:
    known = (
        "ASR_LANGUAGE ASR_SAMPLE_RATE LLM_MODEL LLM_TEMPERATURE LLM_MAX_TOKENS LLM_SYSTEM_PROMPT TTS_VOICE "
        "TTS_SAMPLE_RATE RIVA_HOST RIVA_PORT RIVA_SSL RIVA_MODEL LLM_BASE_URL"
    )
    assert set(known.split()) <= set(NAMES)


@pytest.mark.parametrize(
    ("value", "names"),
    [("all", SETTABLE), ("none", frozenset()), ("voice,language", {"voice", "language"}), (" voice ", {"voice"})],
)
def test_what_callers_may_choose_is_all_none_or_a_list(value: str, names: frozenset[str]) -> None:
    assert Settings(caller_may_set=value).settable_by_callers == names


@pytest.mark.parametrize("value", ["voices", "voice;language", "all,voice", "*"])
def test_a_name_that_callers_can_not_choose_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="is nothing a caller can choose; take some of endpointing, greeting"):
        Settings(caller_may_set=value)


@pytest.mark.parametrize("value", ["Hi\x92", "\x7f", "a\x00b", "\u2028"])
def test_a_control_character_in_a_value_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match=r"control character U\+[0-9A-F]{4} at \d; take it out"):
        Settings(greeting=value)
    assert Settings(llm_system_prompt="one\n\ttwo").llm_system_prompt == "one\n\ttwo"
