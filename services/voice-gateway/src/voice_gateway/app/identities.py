"""Who may call, by the settings? The schemes that the operator has set, with their files read."""

from serving.bearer_tokens import BadTokens, BearerTokens
from serving.identity.client_secrets import own_keys, parse
from serving.identity.identities import Identities
from serving.identity.jwt_settings import jwt_scheme, read_from
from serving.identity.key_file import key_file
from serving.renewed_files import BadFiles
from serving.settings import BadSettings

from voice_gateway.config import Settings
from voice_gateway.edges.callers import Scopes


def identities(settings: Settings) -> Identities:
    """The schemes. Raises BadSettings."""
    jwt = jwt_scheme(read_from(settings, "gateway_jwt_"), "GATEWAY_JWT_")
    keys_file = settings.gateway_client_secret_keys_file
    try:
        tokens = BearerTokens(settings.gateway_tokens_file) if settings.gateway_tokens_file else None
        keys = key_file(keys_file, parse, "GATEWAY_CLIENT_SECRET_KEYS_FILE") if keys_file else own_keys()
    except BadTokens as error:
        raise BadSettings(f"GATEWAY_TOKENS_FILE: {error}") from None
    except BadFiles as error:
        raise BadSettings(f"GATEWAY_CLIENT_SECRET_KEYS_FILE: {error}") from None
    return Identities(tokens, jwt, keys)


def scopes(settings: Settings) -> Scopes:
    """What the token of a caller must allow."""
    return Scopes(
        settings.gateway_jwt_call_scope,
        settings.gateway_jwt_transcribe_scope,
        settings.gateway_jwt_client_secret_scope,
    )
