"""Does a call get through TLS, with our own certificate, and with a token?"""

from pathlib import Path

import grpc
import pytest
import trustme
from voice_client import CallOptions, Ended, Tls, Unreachable, connect, server_info

from .fake_gateway import answering, leaving, serving
from .test_cli import voice


class Files:
    """An authority, a gateway's credentials and a caller's certificate of it."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        ca = trustme.CA()
        server, caller = ca.issue_cert(name), ca.issue_cert("caller")
        self.ca, self.certificate, self.key = folder / "ca.crt", folder / "tls.crt", folder / "tls.key"
        self.ca.write_bytes(ca.cert_pem.bytes())
        self.key.write_bytes(caller.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in caller.cert_chain_pems))
        chain = b"".join(pem.bytes() for pem in server.cert_chain_pems)
        pair = [(server.private_key_pem.bytes(), chain)]
        self.gateway = grpc.ssl_server_credentials(pair)
        self.choosy_gateway = grpc.ssl_server_credentials(pair, ca.cert_pem.bytes(), require_client_auth=True)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """For a gateway that is dialled by its name."""
    return Files(tmp_path)


async def test_a_call_trusts_the_authority_it_was_given_and_no_other(files: Files) -> None:
    async with serving(answering, credentials=files.gateway) as gateway:
        options = CallOptions(tls=Tls(root_ca=files.ca))
        async with connect(gateway.target, options) as call:
            await call.end()
            assert [event async for event in call][-1] == Ended("caller_ended", "")
        assert (await server_info(gateway.target, options)).ready
        for wrong in (CallOptions(tls=Tls()), CallOptions()):
            with pytest.raises(Unreachable):
                async with connect(gateway.target, wrong):
                    pass


async def test_a_gateway_that_is_reached_by_another_name_is_known_by_its_own(tmp_path: Path) -> None:
    files = Files(tmp_path, "voice.example.com")
    async with serving(answering, credentials=files.gateway) as gateway:
        with pytest.raises(Unreachable):
            await server_info(gateway.target, CallOptions(tls=Tls(root_ca=files.ca)))
        named = CallOptions(tls=Tls(root_ca=files.ca, server_name="voice.example.com"))
        assert (await server_info(gateway.target, named)).ready


async def test_the_commands_show_certificate_and_token(files: Files) -> None:
    secure = ("--tls", "--ca", str(files.ca), "--cert", str(files.certificate), "--key", str(files.key))
    async with serving(answering, credentials=files.choosy_gateway) as gateway:
        code, _, stderr = await voice("ask", "hello", "--target", gateway.target, *secure, "--token", "one")
        assert (code, stderr) == (0, "")
        code, _, _ = await voice(
            "ask", "hello", "--target", gateway.target, *secure, environment={"VOICE_TOKEN": "two"}
        )
        assert code == 0
        code, _, _ = await voice("info", "--target", gateway.target, "--tls-ca", str(files.ca))
        assert code == 3
    assert gateway.tokens == ["Bearer one", "Bearer two"]


async def test_a_certificate_without_its_key_is_wrong_usage(files: Files) -> None:
    code, _, stderr = await voice("info", "--cert", str(files.certificate))
    assert code == 2
    assert "--cert and --key belong together" in " ".join(stderr.replace("│", " ").split())


async def test_a_gateway_that_leaves_is_told_with_what_to_do_and_why_the_reply_is_missing() -> None:
    async with serving(leaving) as gateway:
        code, stdout, stderr = await voice("ask", "hello", "--target", gateway.target)
    assert code == 1
    assert "the gateway shuts down: this call ends within 7 s; call again then" in stdout
    assert "the gateway ended the call (drained): shut down; connect again" in stdout
    assert "no reply came from the gateway; the gateway ended the call (drained): shut down; connect again" in stderr
