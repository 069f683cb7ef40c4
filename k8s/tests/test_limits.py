"""Does the page of limits say what the code does, and does every limit have a test?"""

import re

import pytest
from script_runner import ROOT
from serving import tokens_file
from serving.grpc_server import HANDSHAKE_MS
from serving.identity import client_secrets, jwt_verifier, signing_keys, usage_limits
from serving.identity.jwks_url import MAX_WAITING, JwksTimes
from voice_gateway import config_live
from voice_gateway.app import servers
from voice_gateway.config import Settings
from voice_gateway.core import turn_states
from voice_gateway.core.conversation import CHARS_PER_TOKEN
from voice_gateway.edges import http
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.web import client_secrets as secrets_edge
from voice_gateway.session import inbox, outbox, transcription

PAGE = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| limit |")
]
L = Limits()
_GRPC = servers.grpc_limits(L, 1)
S = Settings.model_fields
DEFAULTS = {
    "connections": f"{servers.max_connections(1) - servers.max_connections(0)} S + {servers.max_connections(0)}",
    "streams on one connection": f"{servers.max_streams(1) - servers.max_streams(0)} S + {servers.max_streams(0)}",
    "headers of an RPC": f"{_GRPC.metadata_bytes} bytes",
    "one message": f"{L.max_message_bytes} bytes",
    "time for the TLS handshake and HTTP/2 preface": f"{HANDSHAKE_MS // 1000} s",
    "connection without an RPC": f"{_GRPC.idle_connection_s:g} s",
    "refusals that wait for their 0.2 s": f"{L.max_delayed_refusals}",
    "streams that have sent nothing yet": f"{L.max_waiting_streams}",
    "time to the first message (`GATEWAY_START_TIMEOUT_S`)": f"{S['gateway_start_timeout_s'].default} s",
    "health checks at once": f"{L.max_checks}",
    "Health.Watch and reflection streams": f"{L.max_watches}",
    "HTTP connections": f"{http.MAX_CONNECTIONS}",
    "life of an HTTP connection": f"{http.CONNECTION_LIFE_S:g} s",
    "language, voice, model": f"{L.max_name_chars} characters, no control character",
    "system prompt, greeting, typed text": f"{L.max_text_chars} characters",
    "hotwords of a caller (`ASR_HOTWORDS` holds as many)": (
        f"{L.max_hotwords}, each of {L.max_hotword_chars} characters, boost from minus to plus {L.max_boost:g}"
    ),
    "metadata": f"{L.max_metadata} entries, keys of {L.max_metadata_key_chars} "
    f"and values of {L.max_metadata_value_chars} characters",
    "fields a caller may set (`CALLER_MAY_SET`)": f"{S['caller_may_set'].default}",
    "messages": f"{L.messages_per_s:g} a second, {L.messages_burst} at once; "
    f"each {L.message_unit_bytes >> 10} KiB counts as one",
    "bad messages told one by one": f"{L.errors_burst} at once, {L.errors_per_s:g} a second",
    "typed turns": f"{L.typed_turns_burst} at once, {L.typed_turns_per_s:g} a second",
    "a turn, by what is typed into it": f"{turn_states.MAX_TURN_CHARS} characters",
    "audio in one message": f"{L.max_audio_s:g} s",
    "audio ahead of real time": f"{L.max_ahead_s:g} s",
    "`first_sample`, `seq`, `input_sample`": f"{L.max_ahead_s:g} s, {L.max_seq_leap} and {L.max_input_ahead_s:g} s "
    "ahead of what came",
    "facts that wait for the turn machine": f"{inbox.LIMIT}",
    "events kept for the caller": f"{outbox.MAX_EVENTS}, and {outbox.MAX_BYTES} bytes of audio and text",
    "a request to the model, its answer included (`LLM_CONTEXT_TOKENS`)": f"{S['llm_context_tokens'].default} tokens",
    "history shown to the model (`LLM_HISTORY`)": f"{S['llm_history'].default} exchanges",
    "summary of the oldest exchanges (`LLM_SUMMARY_TOKENS`, `LLM_SUMMARY_TIMEOUT_S`)": (
        f"{S['llm_summary_tokens'].default} tokens, {S['llm_summary_timeout_s'].default:g} s"
    ),
    "history of a call": "twice `LLM_HISTORY` exchanges (8 more at least), and "
    f"{CHARS_PER_TOKEN} characters for each of `LLM_CONTEXT_TOKENS` before the last",
    "a stream whose caller reads nothing": f"{L.max_unread_s:g} s",
    "a call without its caller (`GATEWAY_RESUME_GRACE_S`)": f"{S['gateway_resume_grace_s'].default} s",
    "one call (`GATEWAY_MAX_SESSION_S`)": f"{S['gateway_max_session_s'].default} s",
    "transcription: streams that have sent nothing yet": f"{L.max_waiting_streams}",
    "transcription: time to the first message (`GATEWAY_START_TIMEOUT_S`)": f"{S['gateway_start_timeout_s'].default} s",
    "transcription: one message": f"{L.max_message_bytes} bytes",
    "transcription: audio in one message": f"{L.max_ahead_s:g} s",
    "transcription: audio ahead of real time": f"{L.max_ahead_s:g} s",
    "transcription: sent faster than real time (`TRANSCRIBE_MAX_HELD_BACK_S`)": (
        f"{S['transcribe_max_held_back_s'].default} s"
    ),
    "transcription: audio that waits for the recogniser": f"{L.max_behind_s:g} s, for {L.max_behind_for_s:g} s",
    "transcription: messages": f"{L.messages_per_s:g} a second, {L.messages_burst} at once; "
    f"each {L.message_unit_bytes >> 10} KiB counts as one",
    "transcription: a stream that brings nothing (`TRANSCRIBE_IDLE_S`)": f"{S['transcribe_idle_s'].default} s",
    "transcription: a client that reads nothing": f"{L.max_unread_s:g} s",
    "transcription: the wait for the last final": (
        f"{transcription.FLUSH_S:g} s; {transcription.HURRIED_FLUSH_S:g} s of a gateway that leaves"
    ),
    "transcription: one stream (`GATEWAY_MAX_SESSION_S`)": f"{S['gateway_max_session_s'].default} s",
    "calls (`GATEWAY_MAX_SESSIONS`)": f"{S['gateway_max_sessions'].default}",
    "calls at once (`GATEWAY_MAX_SESSIONS_PER_TOKEN`)": "0 (no limit of its own)",
    "callers whose use is remembered": f"{usage_limits.MAX_IDENTITIES}",
    "a token, whatever its kind": f"{jwt_verifier.MAX_TOKEN_CHARS} characters; "
    f"{jwt_verifier.MAX_HEADER_CHARS} of them the header of a JWT",
    "keys that are tried on one token": f"{jwt_verifier.MAX_TRIES}",
    "keys of a JWKS or a PEM file": f"{signing_keys.MAX_KEYS} keys, {signing_keys.MAX_BYTES} bytes",
    "fetching a JWKS": f"{JwksTimes().deadline_s:g} s, {JwksTimes().apart_s:g} s apart",
    "requests that wait for a fetch of a JWKS": f"{MAX_WAITING}",
    "session of a client secret": f"{client_secrets.MAX_SESSION_BYTES} bytes of JSON",
    "life of a client secret": f"{secrets_edge.MIN_LIFE_S} to {secrets_edge.MAX_LIFE_S} s",
    "live settings": f"{config_live.MAX_BYTES} bytes, {config_live.MAX_PARTS} names and values, no anchors",
    "tokens": f"{tokens_file.MAX_BYTES} bytes, {tokens_file.MAX_TOKENS} tokens "
    f"of {tokens_file.MAX_TOKEN_CHARS} characters",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_limit_has_an_error_and_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    named = re.fullmatch(r"`(?P<file>[\w/.-]+)::(?P<test>test_\w+)`", row[3])
    assert named, f"{row[3]} is no test"
    assert re.search(rf"^\s*(async )?def {named['test']}\(", (ROOT / named["file"]).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_those_of_the_code(name: str) -> None:
    assert [row[1] for row in ROWS if row[0] == name] == [DEFAULTS[name]]
