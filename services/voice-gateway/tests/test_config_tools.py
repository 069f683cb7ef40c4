"""The operator's tools file is taken whole, or refused with the place and without a secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from serving.settings import BadSettings
from voice_gateway.config_tools import MAX_BYTES, ToolsFile, parsed, tools_file

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather now.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "http": {"url": "https://weather.example/now"},
}
KITCHEN: dict[str, Any] = {"name": "kitchen", "url": "https://kitchen.example/mcp", "allow": ["add"]}

YAML = """
tools:
  - name: get_weather
    description: The weather now.
    side_effects: false
    timeout_s: 2.5
    parameters: {type: object, properties: {city: {type: string}}}
    http:
      url: https://weather.example/now
      headers: {X-Tenant: acme}
mcp:
  - {name: kitchen, url: "https://kitchen.example/mcp", allow: "*", side_effects: {add: false}}
"""


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**entry, **changes}.items() if value is not None}


def test_a_file_is_read_as_it_is_written() -> None:
    found = parsed(YAML)
    (tool,), (server,) = found.tools, found.mcp
    assert (tool.name, tool.side_effects, tool.timeout_s) == ("get_weather", False, 2.5)
    assert tool.http.header_values() == {"X-Tenant": "acme"}
    assert (server.allow, server.side_effects, server.refresh_s) == ("*", {"add": False}, 300)


def test_a_tool_acts_unless_the_file_says_that_it_does_not() -> None:
    assert parsed(json.dumps({"tools": [WEATHER]})).tools[0].side_effects


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_declares_nothing(text: str) -> None:
    assert parsed(text) == ToolsFile()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"tools": [changed(WEATHER, name="a b")]}, "tools.0.name: String should match pattern"),
        ({"tools": [changed(WEATHER, http=None)]}, "tools.0.http: Field required"),
        ({"tools": [changed(WEATHER, color="red")]}, "tools.0.color: Extra inputs are not permitted"),
        ({"tools": [changed(WEATHER, timeout_s=0)]}, "tools.0.timeout_s: Input should be greater than 0"),
        ({"tools": [changed(WEATHER, timeout_s=600)]}, "less than or equal to 120"),
        ({"tools": [changed(WEATHER, description="")]}, "tools.0.description"),
        ({"tools": [changed(WEATHER, parameters={"properties": 5})]}, "tools.0.parameters: is no JSON schema"),
        ({"tools": [changed(WEATHER, parameters={"type": "array"})]}, 'must have the type "object"'),
        ({"tools": [changed(WEATHER, http={"url": "ftp://x/y"})]}, "tools.0.http.url: must be a whole address"),
        ({"tools": [changed(WEATHER, http={"url": "https://me:s3cret@x/y"})]}, "must hold no user or password"),
        ({"tools": [changed(WEATHER, http={**WEATHER["http"], "headers": {"Host": "x"}})]}, "'Host' is no header"),
        ({"tools": [changed(WEATHER, http={**WEATHER["http"], "headers": {"A b": "x"}})]}, "'A b' is no header"),
        (
            {"tools": [changed(WEATHER, http={**WEATHER["http"], "headers": {"X": {"env": "NO_SUCH_VARIABLE"}}})]},
            "the variable NO_SUCH_VARIABLE is not set",
        ),
        (
            {"tools": [changed(WEATHER, http={**WEATHER["http"], "headers": {"X": {"file": "/no/such/file"}}})]},
            "/no/such/file can't be read (No such file or directory)",
        ),
        (
            {"tools": [changed(WEATHER, http={**WEATHER["http"], "headers": {"X": {"env": "A", "file": "/b"}}})]},
            "name one of env (a variable) and file",
        ),
        ({"tools": [WEATHER, WEATHER]}, "get_weather stands there twice"),
        ({"mcp": [changed(KITCHEN, allow=None)]}, "mcp.0.allow"),
        ({"mcp": [changed(KITCHEN, allow=[])]}, "mcp.0.allow"),
        ({"mcp": [changed(KITCHEN, refresh_s=0)]}, "mcp.0.refresh_s"),
        ({"mcp": [changed(KITCHEN, prefix="a b")]}, "mcp.0.prefix"),
        ({"tool": []}, "tool: Extra inputs are not permitted"),
        (["no mapping"], "the file: "),
    ],
)
def test_what_is_wrong_is_named_by_its_place(content: Any, says: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the sentence is what is looked at
        parsed(json.dumps(content))
    assert says in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("text", ["tools: [", "tools: &a []\nmcp: *a", "\t- x"])
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no YAML|has anchors"):
        parsed(text)


def test_the_sentence_names_setting_and_file(tmp_path: Path) -> None:
    assert tools_file(None) == ToolsFile()
    with pytest.raises(BadSettings, match=r"^GATEWAY_TOOLS_FILE: .*gone.yaml can't be read \(No such file"):
        tools_file(tmp_path / "gone.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadSettings, match=f"holds more than {MAX_BYTES} bytes"):
        tools_file(tmp_path / "huge.yaml")
    (tmp_path / "bad.yaml").write_text("tools: 5", encoding="utf-8")
    with pytest.raises(BadSettings, match=r"bad.yaml: tools: Input should be a valid list"):
        tools_file(tmp_path / "bad.yaml")


def test_a_secret_of_several_lines_is_refused_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one\ntwo\n", encoding="utf-8")
    http = {**WEATHER["http"], "headers": {"X": {"file": str(tmp_path / "key")}}}
    with pytest.raises(ValueError, match="holds nothing, or more than one line"):
        parsed(json.dumps({"tools": [changed(WEATHER, http=http)]}))
