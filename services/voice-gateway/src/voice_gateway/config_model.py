"""Which language model answers, and what may it call? Settings of the model and its tools."""

from pathlib import Path

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from voice_gateway.config_fields import LIVE, Seconds, SettingsPart
from voice_gateway.core.tokens import estimate


class ModelSettings(SettingsPart):  # size: a field for each setting, and the checks that name it
    """The language model, and the tools that it may call."""

    # ---- language model
    llm_base_url: str = Field(
        "http://localhost:8001/v1", description="OpenAI-compatible endpoint; the default is where mini-llm listens"
    )
    llm_api_key: SecretStr = Field(SecretStr("none"), description="API key of LLM_BASE_URL")
    llm_api_key_file: Path | None = Field(
        None, description="file with the API key of LLM_BASE_URL, in place of LLM_API_KEY; read anew when it changes"
    )
    llm_ca_file: Path | None = Field(
        None, description="PEM authorities for an https LLM_BASE_URL; unset = the public ones"
    )
    llm_client_cert_file: Path | None = Field(
        None, description="PEM certificate chain shown to a model server that asks for one (mTLS)"
    )
    llm_client_key_file: Path | None = Field(None, description="PEM key of LLM_CLIENT_CERT_FILE", validate_default=True)
    llm_model: str = Field("meta/llama-3.1-8b-instruct", description="model name", json_schema_extra=LIVE)
    llm_temperature: float = Field(0.5, ge=0, le=2, description="sampling temperature", json_schema_extra=LIVE)
    llm_max_tokens: int = Field(256, ge=1, le=4096, description="longest reply, tokens", json_schema_extra=LIVE)
    llm_system_prompt: str = Field(
        "",
        description="system prompt: how the agent behaves; empty = the language's own; none = no prompt at all",
        max_length=16384,
        json_schema_extra=LIVE,
    )
    llm_context_tokens: int = Field(
        8192,
        ge=1024,
        le=10_000_000,
        description="longest request to the model with its answer, tokens (LLM_MAX_TOKENS counts, at most half of it): "
        "the oldest exchanges are left out where they do not fit",
        json_schema_extra=LIVE,
    )
    llm_history: int = Field(
        50,
        ge=1,
        description="exchanges that the model is shown word for word, if they fit into LLM_CONTEXT_TOKENS",
        json_schema_extra=LIVE,
    )
    llm_summarise: bool = Field(
        True,
        description="have the model summarise the oldest exchanges between turns, when 70 % of LLM_CONTEXT_TOKENS or "
        "LLM_HISTORY are used; false = they are forgotten",
        json_schema_extra=LIVE,
    )
    llm_summary_tokens: int = Field(
        300, ge=50, le=2000, description="longest summary of the oldest exchanges, tokens", json_schema_extra=LIVE
    )
    llm_summary_timeout_s: float = Field(
        30, gt=0, le=300, description="longest time the model may take for a summary", json_schema_extra=LIVE
    )
    llm_summary_prompt: str = Field(
        "",
        max_length=16384,
        description="what the model is told about writing a summary of the oldest exchanges, which it is shown with "
        "the earlier summary; empty = the gateway's own, which asks for the language of the conversation",
        json_schema_extra=LIVE,
    )
    llm_first_token_timeout_s: float = Field(
        8,
        gt=0,
        description="longest wait from the request to the first text of the answer, whatever comes before it (thoughts "
        "of a reasoning model count as nothing)",
        json_schema_extra=LIVE,
    )
    llm_token_timeout_s: float = Field(
        5, gt=0, description="longest wait from one piece of the answer's text to the next", json_schema_extra=LIVE
    )
    llm_apology: str = Field(
        "",
        description="spoken where the language model fails or is too slow, or the voice breaks off, after what was "
        "said until then; empty = the language's own; none = say nothing",
        json_schema_extra=LIVE,
    )
    llm_thinks_first: bool = Field(
        False,
        description="the model's content begins inside a thought that no tag opens (DeepSeek-R1 without a reasoning"
        " parser): nothing is said before its closing tag",
        json_schema_extra=LIVE,
    )
    llm_prewarm: bool = Field(
        True,
        description="open the connection to the language model (GET /models) in each pause of the caller",
        json_schema_extra=LIVE,
    )

    # ---- tools
    gateway_tools_file: Path | None = Field(
        None,
        description="YAML file of the tools that the language model may call: HTTP endpoints and MCP servers "
        "(docs/tools.md); read at the start",
    )
    tool_timeout_s: float = Field(
        10, gt=0, le=60, description="longest wait for the result of a tool that names no time of its own"
    )
    tool_max_rounds: int = Field(
        5,
        ge=1,
        le=20,
        description="how often the language model may call tools for one reply before it must answer",
        json_schema_extra=LIVE,
    )
    tool_max_parallel: int = Field(
        8, ge=1, le=32, description="tools that may be called at the same time for one reply", json_schema_extra=LIVE
    )
    tool_filler_after_s: Seconds = Field(
        1.5,
        description="silence while a tool runs after which the agent says a filler, such as 'One moment, please.'; "
        "0 = never",
        json_schema_extra=LIVE,
    )
    tool_max_result_bytes: int = Field(
        16_384,
        ge=256,
        le=1_048_576,
        description="longest result of a tool of GATEWAY_TOOLS_FILE; longer ones are errors",
    )
    tool_log_arguments: bool = Field(
        False,
        description="log lines of tool calls hold the arguments and the result, which may be the caller's words",
        json_schema_extra=LIVE,
    )

    @field_validator("llm_context_tokens")
    @classmethod
    def _holds_the_prompt_twice(cls, value: int, info: ValidationInfo) -> int:
        tokens = estimate(info.data.get("llm_system_prompt", ""))
        if value < 2 * tokens:
            raise ValueError(
                f"must be {2 * tokens} at least, twice the estimated tokens of LLM_SYSTEM_PROMPT, or little is left "
                "for the call; shorten the prompt or take a model with a longer context"
            )
        return value

    @field_validator("llm_client_key_file")
    @classmethod
    def _belongs_to_the_models_client_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("llm_client_cert_file") is None):
            raise ValueError("LLM_CLIENT_CERT_FILE and LLM_CLIENT_KEY_FILE belong together; set both or none")
        return value

    @field_validator("llm_api_key_file")
    @classmethod
    def _is_the_only_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data["llm_api_key"].get_secret_value() != "none":
            raise ValueError("LLM_API_KEY is set, too, and would not be used; unset one of them")
        return value

    @field_validator("llm_ca_file", "llm_client_cert_file")
    @classmethod
    def _is_used_over_https(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not str(info.data.get("llm_base_url")).startswith("https://"):
            raise ValueError("is used over TLS only; write LLM_BASE_URL=https://...")
        return value
