"""Which options do all verbs share?"""

from pathlib import Path
from typing import Annotated

import typer

from voice_client.options import CallOptions, Tls

Target = Annotated[str, typer.Option("--target", envvar="VOICE_TARGET", help="The gateway's address, host:port.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line on stdout, nothing else.")]
TlsCa = Annotated[
    Path | None,
    typer.Option("--tls-ca", exists=True, dir_okay=False, help="PEM file of the authority; turns TLS on."),
]
TlsCert = Annotated[Path | None, typer.Option("--tls-cert", exists=True, dir_okay=False, help="Our certificate, PEM.")]
TlsKey = Annotated[
    Path | None, typer.Option("--tls-key", exists=True, dir_okay=False, help="The key of our certificate, PEM.")
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

DEFAULT_TARGET = "localhost:50050"
PATIENCE_S = 60.0


def call_options(
    *,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    token_file: Path | None,
    language: str = "",
    voice: str = "",
    system_prompt: str = "",
) -> CallOptions:
    """Raises typer.BadParameter when a certificate comes without its key."""
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key belong together; give both or none")
    tls = Tls(root_ca=tls_ca, certificate=tls_cert, key=tls_key) if tls_ca or tls_cert else None
    return CallOptions(tls=tls, token_file=token_file, language=language, voice=voice, system_prompt=system_prompt)
