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
    typer.Option("--target", envvar="VOICE_TARGET", callback=_address, help="The gateway's address, host:port."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", dir_okay=False, writable=True, help="WAV file the spoken reply is saved to."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line on stdout, nothing else.")]
Secure = Annotated[bool, typer.Option("--tls", help="TLS, trusting the public authorities unless --ca names one.")]
Ca = Annotated[
    Path | None,
    typer.Option("--ca", "--tls-ca", exists=True, dir_okay=False, help="PEM file of the authority; turns TLS on."),
]
Cert = Annotated[
    Path | None, typer.Option("--cert", "--tls-cert", exists=True, dir_okay=False, help="Our certificate, PEM.")
]
Key = Annotated[
    Path | None,
    typer.Option("--key", "--tls-key", exists=True, dir_okay=False, help="The key of our certificate, PEM."),
]
ServerName = Annotated[
    str, typer.Option("--server-name", help="The name in the gateway's certificate, if not the one that is dialled.")
]
Token = Annotated[
    str, typer.Option("--token", envvar="VOICE_TOKEN", show_envvar=True, help="A bearer token.", show_default=False)
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", exists=True, dir_okay=False, help="File with a bearer token.")
]
Language = Annotated[str, typer.Option("--language", help="BCP 47, such as en-US; empty: as the gateway is set.")]
Voice = Annotated[str, typer.Option("--voice", help="Empty: as the gateway is set.")]
SystemPrompt = Annotated[str, typer.Option("--system-prompt", help="Empty: as the gateway is set.")]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=0.1, help="Give up when nothing at all happened for so many seconds."),
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
        raise typer.BadParameter("--cert and --key belong together; give both or none")
    secure = Tls(root_ca=ca, certificate=cert, key=key, server_name=server_name) if tls or ca or cert else None
    return CallOptions(
        tls=secure,
        token=token,
        token_file=token_file,
        language=language,
        voice=voice,
        system_prompt=system_prompt,
    )
