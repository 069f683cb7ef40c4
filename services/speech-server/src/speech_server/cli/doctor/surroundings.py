"""Can the server listen, encrypt and write where the settings say? Ports, certificates, the request log."""

import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving.certificates import BadTls, Certificates, TlsFiles

from speech_server.cli.doctor.findings import Finding, bad, note, ok
from speech_server.settings import Settings

SOON = timedelta(days=14)
"""A certificate that ends sooner is worth a note."""
_ANSWER_WITHIN_S = 2.0


def look_at_surroundings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """`now`: with a time zone; certificates are judged by the machine's own clock."""
    yield from _ports(settings)
    if settings.server.tls is not None:
        yield _certificate(settings.server.tls, now)
    if settings.requests.speech_request_log is not None:
        yield _log(settings.requests.speech_request_log)


def _ports(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    wanted = {"SPEECH_GRPC_PORT": server.speech_grpc_port, "SPEECH_HTTP_PORT": server.speech_http_port}
    taken = {name: why for name, port in wanted.items() if (why := _why_taken(server.speech_host, port))}
    ours = bool(taken) and _is_a_speech_server(server.speech_http_port, server.tls is not None)
    for name, port in wanted.items():
        if name not in taken:
            yield ok("port", f"{name}={port} is free" if port else f"{name}=0: any free one")
        elif ours:
            yield note("port", f"{name}={port} is in use: a speech server runs here already")
        else:
            yield bad(
                "port",
                f"{name}={port} can't be listened on: {taken[name]}",
                f"set {name} to another port, or end the program that uses it",
            )


def _why_taken(host: str, port: int) -> str:
    """Why the server could not listen there; empty: it could."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as tried:
            # As servers do: a port of which only closed connections are left is free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
            tried.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _is_a_speech_server(port: int, encrypted: bool) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"{'https' if encrypted else 'http'}://127.0.0.1:{port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_WITHIN_S, context=context if encrypted else None) as answer:
            return bool(json.loads(answer.read(1000)) == {"status": "live"})
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _certificate(files: TlsFiles, now: datetime) -> Finding:
    try:
        context = Certificates(files).served.context
    except (BadTls, OSError) as error:
        return bad("certificate", "can't be used", str(error))
    try:
        ends = _ends(context, files.certificate)
    except ssl.SSLError as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
        return bad(
            "certificate", f"{files.certificate}: {reason}", "have it renewed; the running server takes the new one"
        )
    if ends - now < SOON:
        return note("certificate", f"{files.certificate} ends {ends:%Y-%m-%d %H:%M} UTC", "have it renewed")
    who = "callers need one, too" if files.client_ca is not None else "callers need none"
    return ok("certificate", f"{files.certificate} is good until {ends:%Y-%m-%d}; {who}")


def _ends(context: ssl.SSLContext, certificate: Path) -> datetime:
    """When the certificate ends, found by a handshake in memory with a client that trusts it. Raises ssl.SSLError."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server)
    for end in (client, server, client):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    told = client.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


def _log(path: Path) -> Finding:
    place = path if path.exists() else next((one for one in path.absolute().parents if one.exists()), Path("/"))
    if path.is_dir() or not (place.is_dir() or place == path):
        return bad("request log", f"{path} can't be made: {place} is in the way", "set SPEECH_REQUEST_LOG to a file")
    if not os.access(place, os.W_OK):
        return bad(
            "request log",
            f"{place} can't be written",
            "set SPEECH_REQUEST_LOG to another place, or allow writing there",
        )
    return ok("request log", f"{path}, kept for days as SPEECH_REQUEST_LOG_DAYS says")
