"""Who gets in? TLS, callers' certificates and bearer tokens, all of which may be replaced while the gateway serves."""

from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from certificates import Pki
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from lab import Lab, lab
from raw_caller import Caller
from serving.settings import BadSettings
from serving.signals import Stop
from voice_gateway.app.main import serve
from voice_gateway.config import Settings
from voice_workflow.v1 import voice_workflow_pb2 as pb


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """What the gateway's certificate files hold at the start."""
    return Pki(tmp_path)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """Two tokens."""
    file = tmp_path / "tokens"
    write(file, "first-secret\n\n  second-secret  \n")
    return file


def write(file: Path, text: str) -> None:
    """An operator does."""
    file.write_text(text)


def remove(file: Path) -> None:
    """Somebody does."""
    file.unlink()


async def outcome(caller: Caller) -> grpc.StatusCode:
    """OK when a call can be begun and ended."""
    await caller.send(start=pb.SessionStart())
    await caller.send(end=pb.SessionEnd())
    await caller.over()
    assert caller.code
    return caller.code


async def health(there: Lab, **how: Any) -> int:
    """What the standard health service says without a token."""
    stub: Any = health_pb2_grpc.HealthStub(there.caller(reads=False, **how).channel)
    return int((await stub.Check(health_pb2.HealthCheckRequest())).status)


# ------------------------------------------------------------------------------------------------- TLS


async def test_a_call_goes_over_tls_and_not_without(pki: Pki) -> None:
    async with lab(gateway_tls_cert_file=pki.certificate, gateway_tls_key_file=pki.key, then_works=False) as there:
        caller = await there.call(tls=pki.caller())
        await caller.type("Is all well?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        await caller.hang_up()
        assert await health(there, tls=pki.caller()) == health_pb2.HealthCheckResponse.SERVING
        assert await outcome_without_tls(there) is grpc.StatusCode.UNAVAILABLE
        assert await there.status("/readyz") == 200


async def outcome_without_tls(there: Lab) -> grpc.StatusCode:
    """The status of a stream that is not encrypted."""
    caller = there.caller()
    await caller.over()
    assert caller.code
    return caller.code


async def test_a_renewed_certificate_is_shown_to_new_callers_and_cuts_no_call(pki: Pki) -> None:
    async with lab(gateway_tls_cert_file=pki.certificate, gateway_tls_key_file=pki.key, then_works=False) as there:
        old = pki.caller()
        running = await there.call(tls=old)
        pki.renew(same_authority=False)
        await there.eventually(lambda: shown(there, pki), 1)
        assert await outcome(there.caller(tls=pki.caller())) is grpc.StatusCode.OK
        await running.type("Still there?")
        await running.turn(pb.TurnEvent.REPLY_ENDED)
        await running.hang_up()


async def shown(there: Lab, pki: Pki) -> float:
    """1 when a new connection is shown a certificate of the present authority."""
    caller = there.caller(tls=pki.caller(), reads=False)
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    try:
        await stub.Check(health_pb2.HealthCheckRequest())
    except grpc.aio.AioRpcError:
        return 0.0
    return 1.0


async def test_the_metrics_say_when_the_certificates_expire(pki: Pki, tmp_path: Path) -> None:
    first, second = (datetime(2090, month, 1, tzinfo=UTC) for month in (1, 2))
    pki.renew(not_after=first)
    mine = client_files(tmp_path, trustme.CA(), not_after=second)
    settings = {"gateway_tls_cert_file": pki.certificate, "gateway_tls_key_file": pki.key, "riva_ssl": True, **mine}
    metric = "voice_certificate_expiry_timestamp_seconds"
    async with lab(then_works=False, riva_credentials=pki.server, riva_ca_file=pki.authority, **settings) as there:
        served = f'{metric}{{setting="GATEWAY_TLS_CERT_FILE"}}'
        assert await there.metric(served) == first.timestamp()
        assert await there.metric(f'{metric}{{setting="RIVA_CLIENT_CERT_FILE"}}') == second.timestamp()
        assert "LLM_CLIENT_CERT_FILE" not in (await there.get("/metrics"))[1]
        pki.renew(not_after=second)
        assert await there.metric(served) == second.timestamp()
        write(mine["riva_client_cert_file"], "no PEM")
        assert isnan(await there.metric(f'{metric}{{setting="RIVA_CLIENT_CERT_FILE"}}'))


async def test_a_certificate_that_does_not_fit_its_key_is_not_shown(pki: Pki, caplog: pytest.LogCaptureFixture) -> None:
    async with lab(gateway_tls_cert_file=pki.certificate, gateway_tls_key_file=pki.key, then_works=False) as there:
        good = pki.caller()
        write(pki.key, trustme.CA().issue_cert("localhost").private_key_pem.bytes().decode())

        async def told() -> float:
            await there.status("/livez")
            return float("give PEM files that belong together" in caplog.text)

        await there.eventually(told, 1)
        assert await outcome(there.caller(tls=good)) is grpc.StatusCode.OK


async def test_with_a_client_authority_only_callers_it_signed_get_in(pki: Pki, tmp_path: Path) -> None:
    callers = trustme.CA()
    file = tmp_path / "callers.crt"
    write(file, callers.cert_pem.bytes().decode())
    async with lab(
        gateway_tls_cert_file=pki.certificate,
        gateway_tls_key_file=pki.key,
        gateway_tls_client_ca_file=file,
        then_works=False,
    ) as there:
        assert await outcome(there.caller(tls=pki.caller(shows=callers))) is grpc.StatusCode.OK
        for shown_by in (None, trustme.CA()):
            stranger = there.caller(tls=pki.caller(shows=shown_by))
            await stranger.over()
            assert stranger.code is grpc.StatusCode.UNAVAILABLE


async def test_riva_is_reached_over_tls_with_the_authority_of_the_operator(pki: Pki) -> None:
    async with lab(riva_credentials=pki.server, riva_ssl=True, riva_ca_file=pki.authority) as there:
        await there.next_call_works()


async def test_a_riva_of_another_authority_is_not_trusted(pki: Pki) -> None:
    server = pki.server
    pki.renew(same_authority=False)
    async with lab(riva_credentials=server, riva_ssl=True, riva_ca_file=pki.authority, then_works=False) as there:
        status, page = await there.get("/readyz")
        assert status == 503
        assert "asr" in page


def client_files(folder: Path, authority: trustme.CA, **how: Any) -> dict[str, Any]:
    """The gateway's own certificate and key for Riva."""
    issued = authority.issue_cert("gateway", **how)
    files = {"riva_client_cert_file": folder / "client.crt", "riva_client_key_file": folder / "client.key"}
    write(files["riva_client_cert_file"], "".join(pem.bytes().decode() for pem in issued.cert_chain_pems))
    write(files["riva_client_key_file"], issued.private_key_pem.bytes().decode())
    return files


async def test_a_riva_that_asks_for_a_certificate_is_shown_one(pki: Pki, tmp_path: Path) -> None:
    gateways = trustme.CA()
    mine = client_files(tmp_path, gateways)
    async with lab(riva_credentials=pki.asking(gateways), riva_ssl=True, riva_ca_file=pki.authority, **mine) as there:
        await there.next_call_works()


async def test_a_riva_that_asks_for_a_certificate_serves_no_gateway_without_one(pki: Pki) -> None:
    async with lab(
        riva_credentials=pki.asking(trustme.CA()), riva_ssl=True, riva_ca_file=pki.authority, then_works=False
    ) as there:
        status, page = await there.get("/readyz")
        assert status == 503
        assert "asr" in page


# ---------------------------------------------------------------------------------------------- tokens


async def test_a_call_needs_one_of_the_tokens(tokens: Path) -> None:
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        for authorization in ("Bearer first-secret", "bearer second-secret"):
            assert await outcome(there.caller(authorization=authorization)) is grpc.StatusCode.OK
        for authorization in ("", "Bearer", "Bearer ", "Bearer wrong", "Basic first-secret", "first-secret"):
            caller = there.caller(authorization=authorization)
            await caller.send(start=pb.SessionStart())
            await caller.over()
            assert caller.code is grpc.StatusCode.UNAUTHENTICATED
            assert "token" in caller.sentence
            assert "secret" not in caller.sentence


async def test_the_server_info_needs_a_token_and_health_and_reflection_need_none(tokens: Path) -> None:
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        caller = there.caller(authorization="Bearer first-secret", reads=False)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await caller.stub.GetServerInfo(pb.GetServerInfoRequest())
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert (await caller.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=caller.metadata)).ready
        assert await health(there) == health_pb2.HealthCheckResponse.SERVING
        channel: Any = caller.channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        assert (await call.read()).list_services_response.service
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF


async def test_tokens_are_exchanged_without_a_restart_and_never_logged(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "voice_gateway")
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        write(tokens, "third-secret\n")

        async def accepted() -> float:
            return float(await code(there, "third-secret") is grpc.StatusCode.OK)

        await there.eventually(accepted, 1)
        assert await code(there, "first-secret") is grpc.StatusCode.UNAUTHENTICATED
        remove(tokens)

        async def told(words: str) -> float:
            await there.status("/livez")
            return float(words in caplog.text)

        await there.eventually(lambda: told("the tokens stay as they are"), 1)
        assert await code(there, "third-secret") is grpc.StatusCode.OK
        write(tokens, "\n")
        await there.eventually(lambda: told("holds no token: every call is refused"), 1)
        assert await code(there, "third-secret") is grpc.StatusCode.UNAUTHENTICATED
    assert "secret" not in caplog.text


async def test_a_comment_of_the_tokens_file_lets_nobody_in(tokens: Path) -> None:
    write(tokens, "\ufeff# team A\r\n  # of team B\nfirst-secret # of team A\nteam-b: second-secret\n")
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        for token in ("first-secret", "second-secret"):
            assert await code(there, token) is grpc.StatusCode.OK
        for token in ("# team A", "team A", "#", "first-secret # of team A", "team-b", "team-b: second-secret"):
            assert await code(there, token) is grpc.StatusCode.UNAUTHENTICATED


async def code(there: Lab, token: str) -> grpc.StatusCode:
    """How asking what is served with `token` ends."""
    caller = there.caller(reads=False)
    try:
        await caller.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=(("authorization", f"Bearer {token}"),))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"gateway_tokens_file": "absent"}, "GATEWAY_TOKENS_FILE: .*No such file"),
        ({"gateway_tokens_file": "empty"}, "GATEWAY_TOKENS_FILE: .*empty holds no token; write one on each line"),
        ({"gateway_tls_cert_file": "absent", "gateway_tls_key_file": "absent"}, "GATEWAY_TLS_CERT_FILE.*No such file"),
        ({"gateway_tls_cert_file": "empty", "gateway_tls_key_file": "empty"}, "GATEWAY_TLS_CERT_FILE.*give PEM files"),
        ({"riva_ssl": True, "riva_ca_file": "absent"}, "RIVA_CA_FILE: .*can't be read"),
        (
            {"riva_ssl": True, "riva_client_cert_file": "absent", "riva_client_key_file": "empty"},
            "RIVA_CLIENT_CERT_FILE: .*can't be read",
        ),
        (
            {"riva_ssl": True, "riva_client_cert_file": "empty", "riva_client_key_file": "empty"},
            "RIVA_CLIENT_CERT_FILE: .*give PEM files that belong together",
        ),
        ({"riva_ssl": True, "riva_ca_file": "empty"}, "RIVA_CA_FILE: .*holds no PEM certificate"),
    ],
)
async def test_a_gateway_does_not_start_with_files_it_can_not_use(
    wrong: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    write(tmp_path / "empty", "")
    files = {name: tmp_path / value if isinstance(value, str) else value for name, value in wrong.items()}
    quiet = {
        "gateway_host": "127.0.0.1",
        "gateway_port": 0,
        "gateway_http_port": 0,
        "gateway_web_port": 0,
        "vad": "none",
    }
    settings = Settings.model_validate(quiet | files)
    with pytest.raises(BadSettings, match=sentence):
        await serve(settings, Stop())
