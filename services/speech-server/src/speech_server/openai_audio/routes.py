"""Which endpoints are there? Put onto the server's HTTP application."""

from aiohttp import web
from aiohttp.typedefs import Handler

from speech_server.openai_audio import models, realtime, speech, transcriptions
from speech_server.openai_audio.endpoint_context import Answer, EndpointContext
from speech_server.openai_audio.errors import ErrorResponse
from speech_server.openai_audio.models import Models
from speech_server.openai_audio.speech import Speech
from speech_server.openai_audio.transcriptions import Transcriptions

_SERVED = f"POST {transcriptions.ROUTE}, POST {speech.ROUTE}, GET {models.ROUTE} and WS {realtime.ROUTE}"
_SHOWN = 100
"""Letters of an unknown path that are repeated."""


@web.middleware
async def in_one_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An unknown path or method is an error in OpenAI's shape, too, and says what there is."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        sentence = f"There is no {request.method} {request.path[:_SHOWN]} here; there are {_SERVED}."
        response = ErrorResponse(error.status, "NOT_FOUND", "invalid_request_error", "unknown_url", sentence).response()
        if isinstance(error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = error.headers["Allow"]
        return response


def add_routes(application: web.Application, context: EndpointContext, realtime_answer: Answer) -> None:
    """OpenAI's audio endpoints; `realtime_answer` serves the WebSocket."""
    application.middlewares.append(in_one_shape)
    listed = Models(context)
    served = context.endpoint
    application.add_routes(
        [
            web.post(transcriptions.ROUTE, served(transcriptions.ROUTE, Transcriptions(context).answer)),
            web.post(speech.ROUTE, served(speech.ROUTE, Speech(context).answer)),
            web.get(models.ROUTE, served(models.ROUTE, listed.all)),
            web.get(models.ROUTE + "/{model:.+}", served(models.ROUTE, listed.one)),
            web.get(realtime.ROUTE, served(realtime.ROUTE, realtime_answer)),
        ]
    )
