"""Who signs for whom? An authority of one test, and its certificates as Secrets of type kubernetes.io/tls."""

import base64
from dataclasses import dataclass, field

import grpc
import trustme

from e2e.support.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority for servers and callers."""

    ca: trustme.CA = field(default_factory=trustme.CA)

    def put(self, cluster: Cluster, namespace: str, secret: str, *names: str) -> None:
        """A Secret with a certificate for these names, its key, and the authority."""
        issued = self.ca.issue_cert(*names)
        files = {
            "tls.crt": b"".join(pem.bytes() for pem in issued.cert_chain_pems),
            "tls.key": issued.private_key_pem.bytes(),
            "ca.crt": self.ca.cert_pem.bytes(),
        }
        data = {name: base64.b64encode(content).decode() for name, content in files.items()}
        body = {"metadata": {"name": secret}, "type": "kubernetes.io/tls", "data": data}
        cluster.core.create_namespaced_secret(namespace, body)

    def credentials(self, shows: "Authority | None" = None) -> grpc.ChannelCredentials:
        """Of a caller who trusts this authority, and shows a certificate of `shows`."""
        trusted = self.ca.cert_pem.bytes()
        if shows is None:
            return grpc.ssl_channel_credentials(trusted)
        mine = shows.ca.issue_cert("caller")
        chain = b"".join(pem.bytes() for pem in mine.cert_chain_pems)
        return grpc.ssl_channel_credentials(trusted, mine.private_key_pem.bytes(), chain)
