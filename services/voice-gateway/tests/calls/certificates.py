"""Authorities and certificates of one test, as the files an operator mounts."""

from pathlib import Path
from typing import Any

import grpc
import trustme


class Pki:
    """An authority, and the files of a gateway it signed for."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key, self.authority = folder / "tls.crt", folder / "tls.key", folder / "ca.crt"
        self.ca = trustme.CA()
        self.renew()

    def renew(self, *names: str, same_authority: bool = True, **how: Any) -> None:
        """Another certificate and key in the same files."""
        if not same_authority:
            self.ca = trustme.CA()
        issued = self.ca.issue_cert(*(names or ("localhost", "127.0.0.1")), **how)
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        self.authority.write_bytes(self.ca.cert_pem.bytes())

    @property
    def server(self) -> grpc.ServerCredentials:
        """For a server that is no gateway."""
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair])

    def asking(self, callers: trustme.CA) -> grpc.ServerCredentials:
        """For a server that turns away whoever shows no certificate of `callers`."""
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair], callers.cert_pem.bytes(), require_client_auth=True)

    def caller(self, shows: trustme.CA | None = None) -> grpc.ChannelCredentials:
        """Trusts the gateway's authority, and shows a certificate signed by `shows`."""
        trusted = self.ca.cert_pem.bytes()
        if shows is None:
            return grpc.ssl_channel_credentials(trusted)
        mine = shows.issue_cert("caller")
        chain = b"".join(pem.bytes() for pem in mine.cert_chain_pems)
        return grpc.ssl_channel_credentials(trusted, mine.private_key_pem.bytes(), chain)
