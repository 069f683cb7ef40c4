"""What does the `voice` command say of what can't work? One sentence that says what to do, and no traceback."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from .fake_gateway import answering, serving
from .test_cli import ENVIRONMENT, VOICE, voice
from .test_secure import Files, files

__all__ = ["files"]


@pytest.mark.parametrize("target", ["", "localhost", "http://localhost:50050", "localhost:5/x", "localhost:0", ":5"])
async def test_an_address_that_is_none_is_refused_before_anything_is_dialled(target: str) -> None:
    code, _, stderr = await voice("info", "--target", target)
    assert code == 2
    assert "host:port" in stderr


@pytest.mark.parametrize("verb", ["ask", "say"])
async def test_a_folder_is_no_file_for_the_reply(verb: str, tmp_path: Path) -> None:
    code, _, stderr = await voice(verb, __file__, "--out", str(tmp_path), "--target", "127.0.0.1:1")
    assert code == 2
    assert "is a directory" in stderr


async def test_an_http_port_is_called_one() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        code, stdout, stderr = await voice("ask", "hello", "--target", f"127.0.0.1:{port}")
    assert (code, stdout) == (3, "")
    assert "this is an HTTP port; name the gRPC port" in stderr
    assert len(stderr.splitlines()) == 1


async def test_tls_at_a_plain_port_and_the_other_way_round_say_so(files: Files) -> None:
    async with serving(answering) as gateway:
        code, _, stderr = await voice("info", "--target", gateway.target, "--tls")
        assert code == 3
        assert "does not use TLS; leave out --tls" in stderr
        assert len(stderr.splitlines()) == 1
    async with serving(answering, credentials=files.gateway) as gateway:
        code, _, stderr = await voice("info", "--target", gateway.target)
        assert code == 3
        assert "does it require TLS (--tls, --ca)" in stderr
        code, _, stderr = await voice("info", "--target", gateway.target, "--tls")
        assert "not signed by a trusted authority; name the right one with --ca" in stderr


async def test_a_name_that_nobody_has_is_said() -> None:
    code, _, stderr = await voice("check", "--target", "nobody.invalid:50050")
    assert code == 1
    assert "the name can't be resolved" in stderr


async def test_a_token_that_no_header_carries_is_refused() -> None:
    code, _, stderr = await voice("ask", "hello", "--token", "schlüssel", "--target", "127.0.0.1:1")
    assert code == 1
    assert "characters that a header can't carry" in stderr


async def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    async with serving(answering) as gateway:
        piped = f"{' '.join(map(repr, VOICE))} ask hello --json --target {gateway.target} | head -n 1"
        running = await asyncio.create_subprocess_shell(
            piped, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        stdout, stderr = await asyncio.wait_for(running.communicate(), 30)
    assert stdout.startswith(b'{"event": "started"')
    assert stderr == b""


async def test_the_version_is_told_and_completion_is_offered() -> None:
    code, stdout, _ = await voice("--version")
    assert code == 0
    assert stdout.startswith("voice 0.")
    code, stdout, _ = await voice("--help")
    assert "--install-completion" in stdout
