"""A bad variable is named in one sentence."""

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict
from serving.settings import BadSettings, read


class Few(BaseSettings):
    """Settings of a test."""

    model_config = SettingsConfigDict(env_prefix="FEW_")
    port: int = 1
    names: dict[str, str] = {}  # pydantic copies it


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FEW_PORT", "many", r"^FEW_PORT: Input should be a valid integer.* \(got 'many'\)$"),
        ("FEW_PORT", "x" * 200, r"^FEW_PORT: .* \(got 'x{79}…\)$"),
        ("FEW_NAMES", "no json", "names"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=sentence):
        read(Few)
