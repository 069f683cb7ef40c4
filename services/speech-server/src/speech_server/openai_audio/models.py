"""GET /v1/models: what can `model` be? The recogniser's models, then the synthesiser's voices by model name."""

from typing import Any

from aiohttp import web

from speech_server.core.requests.error_text import shown
from speech_server.errors import NotFound
from speech_server.metrics import RequestStats
from speech_server.openai_audio.endpoint_context import EndpointContext

ROUTE = "/v1/models"
_OWNER = "speech-server"


class Models:
    """Both endpoints."""

    def __init__(self, context: EndpointContext) -> None:
        self._context = context

    async def all(self, request: web.Request, stats: RequestStats) -> web.StreamResponse:
        """The list."""
        return web.json_response({"object": "list", "data": [_model(name) for name in self._names()]})

    async def one(self, request: web.Request, stats: RequestStats) -> web.StreamResponse:
        """One of them. Raises NotFound."""
        wanted = request.match_info["model"].lower()
        for name in self._names():
            if name.lower() == wanted:
                return web.json_response(_model(name))
        raise NotFound(f"The model {shown(wanted)} does not exist; GET {ROUTE} lists those that do.")

    def _names(self) -> list[str]:
        models = [model.name for model in self._context.recognition.recogniser.models]
        voices = [voice.name.partition(".")[0] for voice in self._context.synthesiser.voices]
        return list(dict.fromkeys([*models, *voices]))


def _model(name: str) -> dict[str, Any]:
    # Nobody made it at a time that would mean anything: 0 is the epoch.
    return {"id": name, "object": "model", "created": 0, "owned_by": _OWNER}
