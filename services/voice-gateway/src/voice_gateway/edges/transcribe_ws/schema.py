"""What is the JSON schema of the transcription WebSocket? One document with both directions and the close codes.

python -m voice_gateway.edges.transcribe_ws.schema            print it
"""

import json
import sys
from typing import Any

from voice_gateway.edges.transcribe_ws.client_messages import CLIENT_MESSAGES
from voice_gateway.edges.transcribe_ws.server_messages import CLOSE_CODES, SERVER_MESSAGES

_TEMPLATE = "#/$defs/{model}"


def document() -> dict[str, Any]:
    """`client` and `server` are the messages of either side."""
    client = CLIENT_MESSAGES.json_schema(ref_template=_TEMPLATE)
    server = SERVER_MESSAGES.json_schema(ref_template=_TEMPLATE, mode="serialization")
    definitions = {**client.pop("$defs"), **server.pop("$defs")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "WS /v1/transcribe",
        "description": "text messages; binary messages of the client are audio",
        "x-close-codes": {str(code): meaning for code, meaning in CLOSE_CODES.items()},
        "anyOf": [{"$ref": "#/$defs/client"}, {"$ref": "#/$defs/server"}],
        "$defs": {"client": client, "server": server, **dict(sorted(definitions.items()))},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=1) + "\n")
