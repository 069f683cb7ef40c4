"""How does the gateway get in at the language model's server? Trust, a certificate and a key, from files that may be
replaced while it runs."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
from serving.client_tls import ClientTls, ClientTlsFiles, ClientTlsSettings
from serving.renewed_files import BadFiles
from serving.secret_file import SecretFile
from serving.settings import BadSettings

from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.config import Settings

_NAMES = ClientTlsSettings("LLM_BASE_URL", "LLM_CA_FILE", "LLM_CLIENT_CERT_FILE", "LLM_BASE_URL=http://...")


def llm_access(settings: Settings) -> LlmAccess:
    """Of these settings. Blocking. Raises BadSettings, naming the variable whose file can't be used."""
    url = urlsplit(settings.llm_base_url)
    files = ClientTlsFiles(settings.llm_ca_file, settings.llm_client_cert_file, settings.llm_client_key_file)
    try:
        tls = ClientTls(files, _NAMES, httpx2.create_ssl_context)
    except BadFiles as error:
        raise BadSettings(str(error)) from None

    async def trouble() -> str:
        if url.scheme != "https" or not url.hostname:
            return ""
        return await tls.trouble(url.hostname, url.port or 443, protocol="http/1.1")

    return LlmAccess(settings.llm_base_url, _key(settings), tls.context, trouble)


def _key(settings: Settings) -> Callable[[], str]:
    if settings.llm_api_key_file is None:
        key = settings.llm_api_key.get_secret_value()
        return lambda: key
    try:
        file = SecretFile(settings.llm_api_key_file, "the key for the language model")
    except BadFiles as error:
        raise BadSettings(f"LLM_API_KEY_FILE: {error}") from None
    return lambda: file.secret
