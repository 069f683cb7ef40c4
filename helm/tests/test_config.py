"""Does every setting of the gateway have exactly one place in the chart, with the gateway's own range and default?"""

import hashlib
from typing import Any

import pytest
from rendering import CHART, PARAKEET, Chart, nested
from values_reference import Value, read_values, variable
from voice_gateway.config import Settings
from voice_gateway.config_languages import deployment_languages, table
from voice_gateway.config_live import Live, looked
from voice_gateway.config_table import described
from voice_gateway.config_tools import Secret, parsed

FIXED = {
    "GATEWAY_PORT": "Services map the port",
    "GATEWAY_HTTP_PORT": "Services map the port",
    "GATEWAY_WEB_PORT": "Services map the port",
    "GATEWAY_PORTS_FILE": "for starters on one machine",
    "GATEWAY_JOURNAL_DIR": "the root is read-only; journals are for developers",
    "GATEWAY_JOURNAL_DAYS": "goes with GATEWAY_JOURNAL_DIR",
    "GATEWAY_JOURNAL_MB": "goes with GATEWAY_JOURNAL_DIR",
    "GATEWAY_LIVE_FILE": "where the chart mounts it",
    "GATEWAY_LANGUAGES_FILE": "where the chart mounts languages",
    "GATEWAY_TOOLS_FILE": "where the chart mounts tools",
    "GATEWAY_TLS_CERT_FILE": "where the chart mounts secrets.tls",
    "GATEWAY_TLS_KEY_FILE": "where the chart mounts secrets.tls",
    "GATEWAY_TLS_CLIENT_CA_FILE": "where the chart mounts secrets.tls",
    "GATEWAY_TOKENS_FILE": "where the chart mounts secrets.tokens",
    "GATEWAY_JWT_PUBLIC_KEYS_FILE": "where the chart mounts secrets.jwtKeys",
    "GATEWAY_JWT_HMAC_SECRET_FILE": "where the chart mounts secrets.jwtHmacSecret",
    "GATEWAY_JWT_JWKS_CA_FILE": "where the chart mounts secrets.jwtJwksCa",
    "GATEWAY_CLIENT_SECRET_KEYS_FILE": "where the chart mounts secrets.clientSecretKeys",
    "RIVA_CA_FILE": "where the chart mounts secrets.rivaCa",
    "RIVA_CLIENT_CERT_FILE": "where the chart mounts secrets.rivaClient",
    "RIVA_CLIENT_KEY_FILE": "where the chart mounts secrets.rivaClient",
    "RIVA_TOKEN_FILE": "where the chart mounts secrets.rivaToken",
    "RIVA_ASR_FALLBACK_TOKEN_FILE": "where the chart mounts secrets.rivaFallbackToken",
    "LLM_API_KEY": "in a pod the key is a file",
    "LLM_API_KEY_FILE": "where the chart mounts secrets.llmApiKey",
    "LLM_CA_FILE": "where the chart mounts secrets.llmCa",
    "LLM_CLIENT_CERT_FILE": "where the chart mounts secrets.llmClient",
    "LLM_CLIENT_KEY_FILE": "where the chart mounts secrets.llmClient",
}
"""Settings that no value of `config` is, and why."""
OWN_DEFAULTS = {
    "GATEWAY_MAX_SESSIONS": 60,  # a process fills one core with about 75
    "GATEWAY_PLAINTEXT": True,  # what stands before the pods encrypts
    "LOG_FORMAT": "json",  # pods' lines go to a collector
    "GATEWAY_DRAIN_S": 300,  # drain.seconds: calls are longer than half a minute
    "RIVA_HOST": "",  # the name of a Service
    "LLM_BASE_URL": "",  # the name of a Service
}
"""Where the chart's default is not the gateway's."""
SETTINGS: dict[str, dict[str, Any]] = {one["name"]: one for one in described()}
VALUES: dict[str, Value] = {
    variable(value.path): value
    for value in read_values((CHART / "values.yaml").read_text(encoding="utf-8"))
    if value.path[0] == "config"
}


def _path(name: str) -> str:
    return ".".join(VALUES[name].path)


def _beyond(setting: dict[str, Any]) -> list[Any]:
    """Values just outside the setting's range."""
    step = 1 if setting["type"] == "integer" else 0.001
    bad: list[Any] = ["words"] if setting["type"] in ("integer", "number", "boolean") else [7]
    if setting["minimum"] is not None:
        bad.append(setting["minimum"] if setting["exclusive_minimum"] else setting["minimum"] - step)
    if setting["maximum"] is not None:
        bad.append(setting["maximum"] + step)
    if setting["choices"]:
        bad.append("neither" if setting["type"] == "string" else 12345)
    if setting["max_length"]:
        bad.append("x" * (setting["max_length"] + 1))
    if setting["min_length"]:
        bad.append("")
    return bad


def test_every_setting_is_in_one_place_or_an_exception_with_a_reason(chart: Chart) -> None:
    rendered = chart.render()

    live, restart = set(rendered.live), set(rendered.restart)
    assert live & restart == set()
    assert live | restart | set(FIXED) == set(SETTINGS)
    assert (live | restart) & set(FIXED) == set()


def test_the_live_file_holds_what_the_gateway_takes_live(chart: Chart) -> None:
    assert set(chart.render().live) == {name for name, setting in SETTINGS.items() if setting["live"]}


def test_the_gateway_takes_the_live_file_that_the_chart_makes(chart: Chart) -> None:
    rendered = chart.set("gpu")
    content = rendered.get("ConfigMap/voice-gateway-live")["data"][rendered.live_key()].encode()

    live = looked(Live(Settings()), Settings(), content)

    assert live.refused == ""
    assert live.taken == hashlib.sha256(content).hexdigest()[:12]
    assert live.settings.greeting == "Hello"
    assert live.settings.turn_end_silence_s == 0.1


def test_the_gateway_starts_with_the_variables_that_the_chart_sets(
    chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in chart.render({"config": {"llm": {"baseUrl": "http://m:1/v1"}}}).restart.items():
        monkeypatch.setenv(name, value)

    settings = Settings()

    assert settings.llm_base_url == "http://m:1/v1"
    assert settings.riva_host == "riva-api"
    assert settings.gateway_drain_s == 300
    assert settings.tts_sample_rate == 16000


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_default_is_the_gateways_own(name: str) -> None:
    assert VALUES[name].default == OWN_DEFAULTS.get(name, SETTINGS[name]["default"])


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_value_outside_the_gateways_range_never_reaches_the_cluster(chart: Chart, name: str) -> None:
    for bad in _beyond(SETTINGS[name]):
        said = chart.refusal(nested(_path(name), bad))
        assert VALUES[name].path[-1] in said, bad


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLM_TEMPERATURE", 2),
        ("LLM_TEMPERATURE", 0),
        ("LLM_MAX_TOKENS", 4096),
        ("TTS_SAMPLE_RATE", 8000),
        ("VAD", "none"),
    ],
)
def test_a_value_at_the_edge_of_the_range_is_taken(chart: Chart, name: str, value: Any) -> None:
    rendered = chart.render(nested(_path(name), value))

    assert (rendered.live | rendered.restart)[name] in (value, str(value))


@pytest.mark.parametrize("name", sorted(name for name in VALUES if SETTINGS[name]["type"] == "number"))
def test_a_number_with_a_fraction_arrives_as_it_was_written(chart: Chart, name: str) -> None:
    number = max(0, (SETTINGS[name]["minimum"] or 0)) + 0.15625

    rendered = chart.render(nested(_path(name), number))

    assert float((rendered.live | rendered.restart)[name]) == number


def test_a_large_number_is_not_written_with_an_exponent(chart: Chart) -> None:
    rendered = chart.render({"config": {"asr": {"bufferS": 12000000}, "gateway": {"maxSessionS": 12000000}}})

    assert rendered.restart["ASR_BUFFER_S"] == "12000000"
    assert rendered.live["GATEWAY_MAX_SESSION_S"] == 12000000


@pytest.mark.parametrize(
    "prompt",
    ["Say 'yes': no # really\nSecond line\n", "{{ .Values }}", "true", "0777", "émigré — “x”", "<b>&</b>", " "],
)
def test_a_prompt_arrives_letter_by_letter(chart: Chart, prompt: str) -> None:
    assert chart.render({"config": {"llm": {"systemPrompt": prompt}}}).live["LLM_SYSTEM_PROMPT"] == prompt


def test_a_live_value_changes_one_config_map_and_rolls_no_pod(chart: Chart) -> None:
    before = list(chart.render())
    after = list(chart.render({"config": {"llm": {"temperature": 0.9}, "turn": {"greeting": "Hi"}}}))

    (changed,) = [one for one in after if one not in before]
    assert changed["metadata"]["name"] == "voice-gateway-live"


def test_a_value_of_the_start_rolls_the_pods(chart: Chart) -> None:
    def template(values: dict[str, Any]) -> Any:
        return chart.render(values).get("Deployment/voice-gateway")["spec"]["template"]

    assert template({}) != template({"config": {"riva": {"host": "elsewhere"}}})
    assert template({}) == template({"replicas": 3})


def test_a_change_that_rolls_the_pods_leaves_the_live_file_of_the_older_ones_alone(chart: Chart) -> None:
    before = chart.render()
    prompt = {"llm": {"systemPrompt": "New."}}
    live_only = chart.render({"config": prompt})
    rolled = chart.render({"config": prompt, "image": {"tags": {"gateway": "bad"}}})

    assert live_only.live_key() == before.live_key()
    assert rolled.live_key() != before.live_key()
    assert list(rolled.get("ConfigMap/voice-gateway-live")["data"]) == [rolled.live_key()]


def test_a_canary_of_another_image_has_a_live_file_of_its_own(chart: Chart) -> None:
    before, after = chart.render(), chart.render({"canary": {"image": "elsewhere/gateway:2"}})

    assert after.live_key() == before.live_key()
    keys = [after.live_key(), after.live_key("voice-gateway-canary")]
    data = after.get("ConfigMap/voice-gateway-live")["data"]
    assert sorted(data) == sorted(keys)
    assert data[keys[0]] == data[keys[1]]


@pytest.mark.parametrize(
    ("values", "riva", "llm"),
    [
        ({}, "riva-api", "http://nim-llm:8000/v1"),
        ({"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}}, "voice-speech-headless", "http://voice-llm:8000/v1"),
        ({"speechServer": PARAKEET}, "voice-speech-headless", "http://nim-llm:8000/v1"),
        (
            {"speechServer": {"enabled": True}, "config": {"llm": {"baseUrl": "http://o:1/v1"}}},
            "voice-speech-headless", "http://o:1/v1",
        ),
        (
            {"miniLlm": {"enabled": True}, "config": {"riva": {"host": "r"}}},
            "r", "http://voice-llm:8000/v1",
        ),
    ],
)  # fmt: skip
def test_the_gateway_is_told_where_its_backends_are(chart: Chart, values: Any, riva: str, llm: str) -> None:
    restart = chart.render(values).restart

    assert (restart["RIVA_HOST"], restart["LLM_BASE_URL"]) == (riva, llm)


def test_a_fraction_given_by_set_is_a_number_in_the_same_range(chart: Chart) -> None:
    rendered = chart.render({"config": {"llm": {"temperature": "0.2"}}})
    assert rendered.live["LLM_TEMPERATURE"] == 0.2


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("config.llm.temperature", "3.5", "config.llm.temperature is 3.5: it must be at most 2."),
        ("config.llm.temperature", "-0.1", "config.llm.temperature is -0.1: it must be at least 0."),
        ("config.llm.tokenTimeoutS", "0.0", "config.llm.tokenTimeoutS is 0: it must be above 0."),
    ],
)
def test_a_fraction_given_by_set_is_refused_out_of_its_range(chart: Chart, path: str, text: str, sentence: str) -> None:
    assert sentence in chart.refusal(nested(path, text))


FRENCH: dict[str, dict[str, Any]] = {
    "fr-FR": {"greeting": 'Bonjour « à "vous" » !', "backchannels": ["oui", "d'accord"]},
    "de-DE": {"voice": "Ute"},
}


@pytest.mark.parametrize("track", ["voice-gateway", "voice-gateway-canary"])
def test_the_gateway_reads_the_languages_that_the_chart_mounts(chart: Chart, track: str) -> None:
    rendered = chart.render({"languages": FRENCH})
    annotations = rendered.get(f"Deployment/{track}")["spec"]["template"]["metadata"]["annotations"]
    (volume,) = [one for one in rendered.pod(track)["volumes"] if one["name"] == "languages"]
    (item,) = volume["downwardAPI"]["items"]
    (mount,) = [one for one in rendered.container(track)["volumeMounts"] if one["name"] == "languages"]

    assert item["fieldRef"]["fieldPath"] == "metadata.annotations['voice-workflow/languages']"
    assert rendered.env(track)["GATEWAY_LANGUAGES_FILE"] == f"{mount['mountPath']}/{item['path']}"
    found = deployment_languages(Settings(), table(annotations["voice-workflow/languages"]))
    assert found.find("fr").greeting == FRENCH["fr-FR"]["greeting"]
    assert found.find("fr").backchannels == {"oui", "d'accord"}
    assert found.find("de").voice == "Ute"


def test_no_languages_mount_nothing_and_others_roll_the_pods(chart: Chart) -> None:
    rendered, other = chart.render(), chart.render({"languages": FRENCH})

    assert "GATEWAY_LANGUAGES_FILE" not in rendered.env("voice-gateway")
    assert all(volume["name"] != "languages" for volume in rendered.pod("voice-gateway")["volumes"])
    assert rendered.live_key() != other.live_key()


TOOLS: dict[str, Any] = {
    "tools": [
        {
            "name": "get_weather",
            "description": 'The "weather" now.',
            "side_effects": False,
            "http": {
                "url": "https://weather.example/now",
                "headers": {"Authorization": {"file": "/etc/voice-gateway/tool-secrets/weather", "prefix": "Bearer "}},
            },
        }
    ],
    "mcp": [{"name": "crm", "url": "https://crm.example/mcp", "allow": "*"}],
}


@pytest.mark.parametrize("track", ["voice-gateway", "voice-gateway-canary"])
def test_the_gateway_reads_the_tools_that_the_chart_mounts(
    chart: Chart, track: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = chart.render({"tools": TOOLS, "secrets": {"tools": {"name": "tool-keys"}}})
    annotations = rendered.get(f"Deployment/{track}")["spec"]["template"]["metadata"]["annotations"]
    (volume,) = [one for one in rendered.pod(track)["volumes"] if one["name"] == "tools"]
    (item,) = volume["downwardAPI"]["items"]
    mounts = {one["name"]: one["mountPath"] for one in rendered.container(track)["volumeMounts"]}

    assert item["fieldRef"]["fieldPath"] == "metadata.annotations['voice-workflow/tools']"
    assert rendered.env(track)["GATEWAY_TOOLS_FILE"] == f"{mounts['tools']}/{item['path']}"
    assert mounts["tool-secrets"] == "/etc/voice-gateway/tool-secrets"
    (secret,) = [one["secret"] for one in rendered.pod(track)["volumes"] if one["name"] == "tool-secrets"]
    assert secret["secretName"] == "tool-keys"
    monkeypatch.setattr(Secret, "read", lambda self: f"{self.prefix}from {self.file}")
    found = parsed(annotations["voice-workflow/tools"])
    assert found.tools[0].description == TOOLS["tools"][0]["description"]
    assert found.tools[0].http.header_values() == {
        "Authorization": "Bearer from /etc/voice-gateway/tool-secrets/weather"
    }
    assert found.mcp[0].allow == "*"


def test_no_tools_mount_nothing(chart: Chart) -> None:
    rendered = chart.render()

    assert "GATEWAY_TOOLS_FILE" not in rendered.env("voice-gateway")
    assert not {"tools", "tool-secrets"} & {volume["name"] for volume in rendered.pod("voice-gateway")["volumes"]}
