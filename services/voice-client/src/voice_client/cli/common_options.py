"""Which options do all verbs share?"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from voice_client.options import CallOptions, Tls

DEFAULT_TARGET = "localhost:50050"
PATIENCE_S = 60.0


def _address(target: str) -> str:
    if "://" in target or "/" in target:
        raise typer.BadParameter(f"{target}: give host:port, without a scheme or a path")
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise typer.BadParameter(f"{target!r}: give host:port, such as {DEFAULT_TARGET}")
    return target


def _file(*names: str, help: str) -> Any:
    return typer.Option(*names, exists=True, dir_okay=False, help=help)


Target = Annotated[str, typer.Option("--target", envvar="VOICE_TARGET", callback=_address, help="Gateway, host:port.")]
Out = Annotated[
    Path | None, typer.Option("--out", dir_okay=False, writable=True, help="WAV file to save the spoken reply in.")
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object per line to stdout, and nothing else.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Give up after so many seconds without any event.")]


def call_options(
    language: Annotated[str, typer.Option(help="Language of the call, such as en-US. Empty: gateway's default.")] = "",
    voice: Annotated[str, typer.Option(help="Voice of the replies. Empty: gateway's default.")] = "",
    system_prompt: Annotated[str, typer.Option(help="System prompt of the call. Empty: gateway's default.")] = "",
    tls: Annotated[bool, typer.Option("--tls", help="Use TLS. Without --ca public authorities are trusted.")] = False,
    ca: Annotated[
        Path | None, _file("--ca", "--tls-ca", help="PEM file of the authority to trust. Turns TLS on.")
    ] = None,
    cert: Annotated[
        Path | None, _file("--cert", "--tls-cert", help="PEM file of the client certificate. Needs --key.")
    ] = None,
    key: Annotated[
        Path | None, _file("--key", "--tls-key", help="PEM file of the private key that belongs to --cert.")
    ] = None,
    server_name: Annotated[
        str, typer.Option(help="Host name in the gateway's certificate, where --target has another.")
    ] = "",
    token: Annotated[
        str,
        typer.Option(envvar="VOICE_TOKEN", show_envvar=True, show_default=False, help="Bearer token for the gateway."),
    ] = "",
    token_file: Annotated[Path | None, _file("--token-file", help="File that holds the bearer token.")] = None,
) -> CallOptions:
    """Raises typer.BadParameter when a certificate comes without its key."""
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key belong together; give both or neither")
    secure = Tls(root_ca=ca, certificate=cert, key=key, server_name=server_name) if tls or ca or cert else None
    return CallOptions(
        tls=secure, token=token, token_file=token_file, language=language, voice=voice, system_prompt=system_prompt
    )


def with_call_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a verb that takes `options: CallOptions` the options of `call_options`, except `without`."""
    shared = [one for one in inspect.signature(call_options).parameters.values() if one.name not in without]

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def decorated(**given: Any) -> None:
            verb(options=call_options(**{one.name: given.pop(one.name) for one in shared}), **given)

        own = [one for one in inspect.signature(verb).parameters.values() if one.name != "options"]
        parameters = [one.replace(kind=one.KEYWORD_ONLY) for one in (*own, *shared)]
        decorated.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        return decorated

    return decorate
