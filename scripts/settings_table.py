"""What can an operator set? Writes it from the settings classes: docs/settings.md, .env.example, docs/mini-llm.md.

python scripts/settings_table.py            write the files
python scripts/settings_table.py --check    say which is stale (exit status 1) and write nothing
"""

import argparse
import sys
from pathlib import Path

from mini_llm.settings import Settings as MiniLlmSettings
from pydantic import SecretStr
from voice_gateway.config import Settings
from voice_gateway.config_table import table

ROOT = Path(__file__).parent.parent
_SETTINGS = """# Settings

Every setting of the gateway is an environment variable, read at the start; an error names the variable.
An empty variable counts as unset. [.env.example](../.env.example) holds the same list, ready to be filled in.
`voice-gateway settings --json` prints it for programs, with types and bounds.

## Live settings

Settings marked live may also stand in the YAML file that `GATEWAY_LIVE_FILE` names, one `NAME: value` on each line;
what stands there wins over the environment. The gateway looks at the file every second. A changed file is checked
first and taken whole or not at all; it is in force for calls that begin afterwards, running calls keep their settings.
When a line is taken out, the environment's value is in force again.

A file that is refused (an unknown name, a setting that is not live, a value of the wrong type or out of range, a
control character, a name twice, anchors or aliases, more than 256 KiB, or no live setting at all) or gone
changes nothing. It is logged, `voice_config_refused` is 1, and `/readyz` says why while the pod stays ready:

    {{"status": "ready", "reasons": {{}}, "draining": false,
     "config": {{"taken": "9f86d081884c",
                "refused": "LLM_TEMPERATURE: Input should be less than or equal to 2 (got 3)"}}}}

`taken` is the first 12 characters of the SHA-256 of the file in force. At the start there is no older file to keep:
then every good line counts and the bad ones are named in the same places, so that a typing mistake stops no pod;
without the file it does not start.
Replace it by renaming another one over it (a ConfigMap mount does), so that no half of it is ever read.

The certificate files and the tokens file are looked at as often: new connections are shown the new certificate once
it fits its key, and new calls need one of the new tokens. A tokens file without a token refuses every call. It holds
one token on each line; `NAME: TOKEN` gives a token the name that stands in the log for its calls (else `line-N`).
What follows a `#` at the start of a line or after a space is a comment. A file with any other line changes nothing.

## All settings

This page is generated: `make docs` writes it from `voice_gateway/config.py`.

{table}
"""
_MINI_LLM = """# The mini LLM

`mini-llm` answers as an OpenAI-compatible server does, by rules and without weights: for the demo, for tests, and to
measure with known delays. It stands in for NIM or any other model server: `POST /v1/chat/completions` (streamed or
whole), `GET /v1/models`, `GET /v1/health/live | ready` and `GET /metrics`. Asked to summarise a call, as the gateway
asks ([memory](memory.md)), it notes what the caller said, facts first, and remembers what such notes say. A
tool that is declared is called when its name stands in the question ("What is the weather in Paris?" calls
`get_weather`), and its result is read out: so the demo shows [tools](tools.md) without a model.

    mini-llm                                      # port 8001
    MINI_LLM_FIRST_TOKEN_MS=150 MINI_LLM_TOKEN_MS=10 mini-llm
    MINI_LLM_FAULT=stall_midway MINI_LLM_FAULT_COUNT=1 mini-llm

Every setting is an environment variable, read at the start. An empty variable counts as unset.

| variable | default | meaning |
|---|---|---|
{rows}

This page is generated: `make docs` writes it from `mini_llm/settings.py`.
"""
_ENV = """# Every setting of the gateway with its default. Copy to .env, uncomment what you change, and load it:
#   set -a; . ./.env; set +a
# Generated: `make docs` writes it from voice_gateway/config.py.
"""


def settings_page() -> str:
    """docs/settings.md."""
    return _SETTINGS.format(table=table())


def mini_llm_page() -> str:
    """docs/mini-llm.md."""
    rows = []
    for name, field in MiniLlmSettings.model_fields.items():
        cells = (f"`MINI_LLM_{name.upper()}`", _default(field.default) or "empty", field.description or "")
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return _MINI_LLM.format(rows="\n".join(rows))


def env_example() -> str:
    """.env.example: meaning, then the variable with its default, commented out."""
    entries = [
        f"# {field.description}\n#{name.upper()}={_quoted(_default(field.default))}\n"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join((_ENV, *entries))


def documents() -> dict[str, str]:
    """What stands in each file, by its path from the root of the repository."""
    return {"docs/settings.md": settings_page(), ".env.example": env_example(), "docs/mini-llm.md": mini_llm_page()}


def stale(root: Path) -> list[str]:
    """The files that are missing or say something else."""
    return [
        name
        for name, text in documents().items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _quoted(value: str) -> str:
    return f'"{value}"' if set(value) & set(" ?*'#$&;()<>|") else value


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/settings.md, .env.example and docs/mini-llm.md.")
    parser.add_argument("--check", action="store_true", help="only say whether they are stale")
    check = parser.parse_args(arguments).check
    for name in stale(root):
        if check:
            sys.stderr.write(f"{name} is stale: run `python scripts/settings_table.py`\n")
        else:
            (root / name).write_text(documents()[name], encoding="utf-8")
    return int(bool(stale(root)))


if __name__ == "__main__":
    sys.exit(main())
