"""Which options do all verbs share?"""

from pathlib import Path
from typing import Annotated

import typer

from voice_client.options import CallOptions, Tls

DEFAULT_TARGET = "localhost:50050"


def _address(target: str) -> str:
    if "://" in target or "/" in target:
        raise typer.BadParameter(f"{target}: give host:port, without a scheme or a path")
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise typer.BadParameter(f"{target!r}: give host:port, such as {DEFAULT_TARGET}")
    return target


Target = Annotated[
    str,
    typer.Option("--target", envvar="VOICE_TARGET", callback=_address, help="Address of the gateway, host:port."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", dir_okay=False, writable=True, help="WAV file to save the spoken reply in."),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object per line to stdout, and nothing else.")]
Secure = Annotated[
    bool, typer.Option("--tls", help="Use TLS. Without --ca the public certificate authorities are trusted.")
]
Ca = Annotated[
    Path | None,
    typer.Option(
        "--ca", "--tls-ca", exists=True, dir_okay=False, help="PEM file of the authority to trust. Turns TLS on."
    ),
]
Cert = Annotated[
    Path | None,
    typer.Option(
        "--cert", "--tls-cert", exists=True, dir_okay=False, help="PEM file of the client certificate. Needs --key."
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key", "--tls-key", exists=True, dir_okay=False, help="PEM file of the private key that belongs to --cert."
    ),
]
ServerName = Annotated[
    str, typer.Option("--server-name", help="Host name in the gateway's certificate, where --target has another.")
]
Token = Annotated[
    str,
    typer.Option(
        "--token", envvar="VOICE_TOKEN", show_envvar=True, help="Bearer token for the gateway.", show_default=False
    ),
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", exists=True, dir_okay=False, help="File that holds the bearer token.")
]
Language = Annotated[
    str, typer.Option("--language", help="Language of the call, such as en-US. Empty: the gateway's setting.")
]
Voice = Annotated[str, typer.Option("--voice", help="Voice of the replies. Empty: the gateway's setting.")]
SystemPrompt = Annotated[
    str, typer.Option("--system-prompt", help="System prompt of the call. Empty: the gateway's setting.")
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=0.1, help="Give up after this many seconds in which nothing happened."),
]
PATIENCE_S = 60.0


def call_options(
    *,
    tls: bool,
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
    server_name: str,
    token: str,
    token_file: Path | None,
    language: str = "",
    voice: str = "",
    system_prompt: str = "",
) -> CallOptions:
    """Raises typer.BadParameter when a certificate comes without its key."""
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key belong together; give both or neither")
    secure = Tls(root_ca=ca, certificate=cert, key=key, server_name=server_name) if tls or ca or cert else None
    return CallOptions(
        tls=secure,
        token=token,
        token_file=token_file,
        language=language,
        voice=voice,
        system_prompt=system_prompt,
    )
