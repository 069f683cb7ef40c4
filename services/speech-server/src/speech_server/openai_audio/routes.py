"""Which endpoints are there? Put onto the server's HTTP application."""

from aiohttp import web

from speech_server.openai_audio import models, realtime, speech, transcriptions
from speech_server.openai_audio.edge import Edge
from speech_server.openai_audio.models import Models
from speech_server.openai_audio.realtime import Realtime
from speech_server.openai_audio.speech import Speech
from speech_server.openai_audio.transcriptions import Transcriptions


def add_routes(application: web.Application, edge: Edge) -> None:
    """OpenAI's audio endpoints."""
    listed = Models(edge)
    served = edge.endpoint
    application.add_routes(
        [
            web.post(transcriptions.ROUTE, served(transcriptions.ROUTE, Transcriptions(edge).answer)),
            web.post(speech.ROUTE, served(speech.ROUTE, Speech(edge).answer)),
            web.get(models.ROUTE, served(models.ROUTE, listed.all)),
            web.get(models.ROUTE + "/{model:.+}", served(models.ROUTE, listed.one)),
            web.get(realtime.ROUTE, served(realtime.ROUTE, Realtime(edge).answer)),
        ]
    )
