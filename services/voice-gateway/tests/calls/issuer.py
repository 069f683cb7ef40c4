"""An issuer of tokens (JWT) whose keys lie in a file, as a platform's identity provider publishes them."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

ISSUER, AUDIENCE = "https://login.example", "voice"


class Issuer:
    """Signs with the newest of its keys; `publish` says which of them are good."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jwks.json"
        self._keys: dict[str, Ed25519PrivateKey] = {}
        self.rotate()

    @property
    def settings(self) -> dict[str, Any]:
        """Of a gateway that accepts its tokens."""
        return {
            "gateway_jwt_issuer": ISSUER,
            "gateway_jwt_audience": AUDIENCE,
            "gateway_jwt_jwks_url": str(self.file),
        }

    def rotate(self, keep: bool = False) -> None:
        """Sign with a new key; the old ones are good no more unless they are kept."""
        name = f"k{len(self._keys)}"
        self._keys[name] = Ed25519PrivateKey.generate()
        published = list(self._keys) if keep else [name]
        keys = [
            {**OKPAlgorithm.to_jwk(self._keys[kid].public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid in published
        ]
        self.file.write_text(json.dumps({"keys": keys}))

    def token(self, sub: str = "anna", **changed: Any) -> str:
        """A good one, but for what is changed; None = it lacks that claim."""
        kid = list(self._keys)[-1]
        return jwt.encode(self.claims(sub=sub, **changed), self._keys[kid], "EdDSA", headers={"kid": kid})

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What a good one says."""
        good = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, **changed}
        return {name: value for name, value in good.items() if value is not None}

    def bearer(self, sub: str = "anna", **changed: Any) -> str:
        """As the value of an authorization header."""
        return f"Bearer {self.token(sub, **changed)}"
