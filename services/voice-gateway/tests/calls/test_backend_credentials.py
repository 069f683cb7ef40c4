"""Which credentials do Riva and the model's server get? Those of the files of now; a wrong one is named in /readyz."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from certificates import Pki
from lab import Lab, lab
from serving.settings import BadSettings
from serving.signals import Stop
from voice_gateway.app.main import serve
from voice_gateway.backends.http_tools import open_http_tools
from voice_gateway.config import Settings
from voice_gateway.config_tools import HttpTool, ToolEndpoint
from voice_gateway.errors import ToolFailed

LONG_AGO = datetime.now(UTC) - timedelta(days=9)
QUICK: dict[str, Any] = {"gateway_probe_every_s": 0.05}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """Whom the gateway should trust."""
    return Pki(tmp_path)


def model_server(pki: Pki, *names: str, asks: trustme.CA | None = None, **how: Any) -> ssl.SSLContext:
    """What the model's server has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pki.ca.issue_cert(*(names or ("127.0.0.1",)), **how).configure_cert(context)
    if asks is not None:
        asks.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def shown(folder: Path, authority: trustme.CA, service: str) -> dict[str, Any]:
    """The settings of the gateway's own certificate, whose files are written."""
    issued = authority.issue_cert("gateway")
    certificate, key = folder / f"{service}.crt", folder / f"{service}.key"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return {f"{service}_client_cert_file": certificate, f"{service}_client_key_file": key}


async def says(there: Lab, *words: str) -> None:
    """Wait until /readyz gives these reasons."""

    async def found() -> float:
        _, page = await there.get("/readyz")
        return float(all(word in page for word in words))

    await there.eventually(found, 1)


async def answers(there: Lab, backend: str) -> None:
    """Wait until a backend is there."""
    await there.eventually(lambda: there.metric(f'voice_backend_up{{backend="{backend}"}}'), 1)


# ------------------------------------------------------------------------------------------------- model


async def test_the_model_is_reached_over_tls_with_a_certificate_and_the_key_of_a_file(pki: Pki, tmp_path: Path) -> None:
    gateways, key = trustme.CA(), tmp_path / "key"
    key.write_text("first-key")
    async with lab(
        llm_tls=model_server(pki, asks=gateways),
        llm_ca_file=pki.authority,
        llm_api_key_file=key,
        **shown(tmp_path, gateways, "llm"),
    ) as there:
        await there.next_call_works()
        key.write_text("second-key")
        await there.next_call_works()
        assert there.llm.keys == ["Bearer first-key", "Bearer second-key"]


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ({"not_before": LONG_AGO, "not_after": LONG_AGO}, "(LLM_BASE_URL) has expired"),
        ({"names": ("model.example",)}, "is for other names; set LLM_BASE_URL to one"),
        ({"asks": trustme.CA()}, "set LLM_CLIENT_CERT_FILE"),
    ],
)
async def test_a_model_server_that_is_not_trusted_or_does_not_trust_is_told_with_the_setting(
    pki: Pki, server: dict[str, Any], sentence: str
) -> None:
    how = dict(server)
    tls = model_server(pki, *how.pop("names", ()), **how)
    async with lab(llm_tls=tls, llm_ca_file=pki.authority, then_works=False) as there:
        await says(there, "llm", sentence)


async def test_an_authority_or_a_certificate_that_is_put_right_is_taken_without_a_restart(
    pki: Pki, tmp_path: Path
) -> None:
    gateways = trustme.CA()
    tls, right = model_server(pki, asks=gateways), pki.authority.read_bytes()
    mine = shown(tmp_path, trustme.CA(), "llm")
    pki.authority.write_bytes(trustme.CA().cert_pem.bytes())
    async with lab(llm_tls=tls, llm_ca_file=pki.authority, **QUICK, **mine) as there:
        await says(there, "signed by no authority of LLM_CA_FILE")
        pki.authority.write_bytes(right)
        await says(there, "certificate of LLM_CLIENT_CERT_FILE")
        shown(tmp_path, gateways, "llm")
        await answers(there, "llm")


# -------------------------------------------------------------------------------------------------- Riva


async def test_riva_files_that_are_put_right_are_taken_without_a_restart(pki: Pki, tmp_path: Path) -> None:
    gateways = trustme.CA()
    server, right = pki.asking(gateways), pki.authority.read_bytes()
    mine = shown(tmp_path, trustme.CA(), "riva")
    pki.authority.write_bytes(trustme.CA().cert_pem.bytes())
    async with lab(riva_credentials=server, riva_ssl=True, riva_ca_file=pki.authority, **QUICK, **mine) as there:
        await says(there, "asr", "tts", "signed by no authority of RIVA_CA_FILE")
        pki.authority.write_bytes(right)
        await says(there, "RIVA_CLIENT_CERT_FILE")
        shown(tmp_path, gateways, "riva")
        await answers(there, "asr")
        await answers(there, "tts")


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ({"not_before": LONG_AGO, "not_after": LONG_AGO}, "(RIVA_HOST) has expired"),
        ({"names": ("riva.example",)}, "is for other names; set RIVA_HOST to one"),
        ({"asks": True}, "set RIVA_CLIENT_CERT_FILE"),
        (None, "set RIVA_SSL=false"),
    ],
)
async def test_a_riva_that_is_not_trusted_or_does_not_trust_is_told_with_the_setting(
    pki: Pki, server: dict[str, Any] | None, sentence: str
) -> None:
    how = dict(server or {})
    credentials = None
    if how.pop("asks", False):
        credentials = pki.asking(trustme.CA())
    elif server is not None:
        pki.renew(*how.pop("names", ()), **how)
        credentials = pki.server
    async with lab(riva_credentials=credentials, riva_ssl=True, riva_ca_file=pki.authority, then_works=False) as there:
        await says(there, "asr", sentence)


# ------------------------------------------------------------------------------------------------- tools


async def test_a_tool_is_reached_with_the_certificate_of_now(pki: Pki, tmp_path: Path) -> None:
    gateways = trustme.CA()
    both = tmp_path / "both.pem"  # one file may hold certificate and key

    def show(authority: trustme.CA) -> None:
        both.write_bytes(authority.issue_cert("gateway").private_key_and_cert_chain_pem.bytes())

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="done")

    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=model_server(pki, asks=gateways))
    await site.start()
    endpoint = ToolEndpoint(
        url=f"https://127.0.0.1:{runner.addresses[0][1]}/", ca_file=pki.authority, client_cert_file=both
    )
    show(trustme.CA())
    declared = [HttpTool(name="lamp", description="A lamp.", http=endpoint)]
    try:
        async with open_http_tools(declared, 5, 1000) as tools:
            with pytest.raises(ToolFailed):
                await tools.call("lamp", {}, "key")
            show(gateways)
            assert await tools.call("lamp", {}, "key") == "done"
    finally:
        await runner.cleanup()
    both.write_text("no PEM")
    with pytest.raises(ValueError, match=r"client_cert_file: .*both.pem"):
        async with open_http_tools(declared, 5, 1000):
            pass


# ---------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"llm_api_key_file": "absent"}, "LLM_API_KEY_FILE: .*absent can't be read"),
        ({"llm_api_key_file": "empty"}, "LLM_API_KEY_FILE: .*empty holds no token"),
        ({"llm_ca_file": "empty"}, "LLM_CA_FILE: .*holds no PEM certificate"),
        ({"llm_client_cert_file": "empty", "llm_client_key_file": "empty"}, "LLM_CLIENT_CERT_FILE: .*give PEM files"),
    ],
)
async def test_a_gateway_does_not_start_with_files_it_can_not_use(
    wrong: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    ports = {"gateway_host": "127.0.0.1", "gateway_port": 0, "gateway_http_port": 0, "gateway_web_port": 0}
    files = {name: tmp_path / value for name, value in wrong.items()}
    settings = Settings.model_validate({**ports, "vad": "none", "llm_base_url": "https://127.0.0.1:1/v1", **files})
    with pytest.raises(BadSettings, match=sentence):
        await serve(settings, Stop())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"llm_ca_file": "ca.crt"}, "write LLM_BASE_URL=https://"),
        ({"llm_client_cert_file": "a", "llm_base_url": "https://a"}, "belong together; set both or none"),
        ({"llm_api_key": "k", "llm_api_key_file": "f"}, "LLM_API_KEY is set, too"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Settings.model_validate(given)
