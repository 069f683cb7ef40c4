"""Does `voice check` pass on the whole stack, as a cluster runs it: certificates, a token and live settings?"""

import asyncio
import json
import sys
from pathlib import Path

import trustme
from voice_bench.stack import running
from voice_bench.stack_config import embedded
from voice_client import CallOptions, ReplyText, Tls, connect

WAIT_S = 60.0
VOICE = Path(sys.executable).parent / "voice"


async def voice(*arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the `voice` command."""
    process = await asyncio.create_subprocess_exec(
        VOICE, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def write(file: Path, content: bytes) -> Path:
    """A file as a Secret or a ConfigMap mounts it."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    return fresh.replace(file)


async def test_a_spoken_round_trip_over_tls_with_a_token_and_settings_that_change(tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("voice.example.com")
    authority = write(tmp_path / "ca.crt", ca.cert_pem.bytes())
    live = write(tmp_path / "live.yaml", b"GREETING: ''\n")
    gateway = {
        "GATEWAY_TLS_CERT_FILE": str(write(tmp_path / "tls.crt", b"".join(p.bytes() for p in issued.cert_chain_pems))),
        "GATEWAY_TLS_KEY_FILE": str(write(tmp_path / "tls.key", issued.private_key_pem.bytes())),
        "GATEWAY_TOKENS_FILE": str(write(tmp_path / "tokens", b"one-token\n")),
        "GATEWAY_LIVE_FILE": str(live),
    }
    async with running(embedded(gateway=gateway)) as stack:
        host, _, port = stack.target.partition(":")
        secure = ("--ca", str(authority), "--server-name", "voice.example.com")
        code, out, err = await voice(
            *("check", "--host", host, "--port", port, "--tls", *secure, "--token", "one-token", "--json")
        )
        assert (code, err) == (0, "")
        checked = json.loads(out)
        assert checked["ok"] is True
        assert checked["heard"].lower().rstrip("?.") == checked["asked"]
        assert "Mini" in checked["reply"]
        code, _, err = await voice("check", "--host", host, "--port", port, *secure, "--token", "another")
        assert code == 1
        assert err.startswith("this token is not accepted; ask the operator for one (voice sends ")
        write(live, b"GREETING: Good day to you.\n")
        options = CallOptions(tls=Tls(root_ca=authority, server_name="voice.example.com"), token="one-token")
        async with asyncio.timeout(WAIT_S):
            while await greeting(stack.target, options) != "Good day to you.":
                pass


async def greeting(target: str, options: CallOptions) -> str:
    """What a new call is told first; the words of the reply to a typed turn where it is told nothing."""
    async with connect(target, options) as call:
        await call.say("hello")
        async for event in call:
            if isinstance(event, ReplyText):
                return event.delta.strip()
    return ""
