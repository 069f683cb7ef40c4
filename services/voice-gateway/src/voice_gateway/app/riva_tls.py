"""Whom does the gateway trust as Riva, and what does it show it? PEM files, which may be replaced while it runs."""

import grpc
from serving.client_tls import ClientPem, ClientTls, ClientTlsFiles, ClientTlsSettings
from serving.renewed_files import BadFiles
from serving.settings import BadSettings

from voice_gateway.backends.targets import Address, host_and_port
from voice_gateway.config import Settings

_NAMES = ClientTlsSettings("RIVA_HOST", "RIVA_CA_FILE", "RIVA_CLIENT_CERT_FILE", "RIVA_SSL=false")


class RivaTls:
    """The encryption of channels to Riva. Raises BadSettings, naming the variable whose file can't be used."""

    def __init__(self, settings: Settings) -> None:
        files = ClientTlsFiles(settings.riva_ca_file, settings.riva_client_cert_file, settings.riva_client_key_file)
        try:
            self._tls = ClientTls(files, _NAMES)
        except BadFiles as error:
            raise BadSettings(str(error)) from None
        self._credentials: tuple[ClientPem, grpc.ChannelCredentials] | None = None

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        """Of the files of now; the same object until one of them changes."""
        pem = self._tls.pem
        if self._credentials is None or self._credentials[0] is not pem:
            self._credentials = pem, grpc.ssl_channel_credentials(pem.authorities, pem.key, pem.certificate)
        return self._credentials[1]

    async def trouble(self, address: Address) -> str:
        """Why no handshake with this server succeeds, in a sentence; "" = one does, or it is something else. gRPC
        itself says no more than that it failed."""
        where = host_and_port(address)
        return await self._tls.trouble(*where, address.authority.rpartition(":")[0]) if where else ""
