"""Which languages and voices do the speech servers have? They are asked beside the probes, never on the way of a call.

Riva lists its models and voices, each with its languages. A server that has no such list, or does not answer, says
nothing: as long as none has said anything, nobody knows, and no caller is refused.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc
from riva.client.proto import riva_asr_pb2, riva_tts_pb2
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from voice_gateway.backends.endpoint import Endpoint, Health
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.errors import Service

log = logging.getLogger(__name__)

_WITHIN_S = 3.0
_KNOWN_FOR = 15
"""What was answered is believed for so many probes."""
_MAX_LANGUAGES = 500
_MAX_VOICES = 500
_MAX_VOICE_CHARS = 128
_MAX_TAG_CHARS = 35
"""RFC 5646's recommendation for the longest tag."""
_LOCALE_OF_VOICE = re.compile(r"(?P<locale>[A-Za-z]{2,3}-[A-Za-z]{2})\.")

Ask = Callable[[Endpoint], Any]


def ask_recognition(endpoint: Endpoint) -> Any:
    """The list of models of one server."""
    request = riva_asr_pb2.RivaSpeechRecognitionConfigRequest()
    return endpoint.stub(RivaSpeechRecognitionStub).GetRivaSpeechRecognitionConfig(request)


def ask_synthesis(endpoint: Endpoint) -> Any:
    """The list of voices of one server."""
    request = riva_tts_pb2.RivaSynthesisConfigRequest()
    return endpoint.stub(RivaSpeechSynthesisStub).GetRivaSynthesisConfig(request)


class ServerLanguages:
    """The languages of one backend: what any of its servers lists, for alike they are."""

    def __init__(self, service: Service, endpoints: Endpoints, ask: Ask) -> None:
        self._service = service
        self._endpoints = endpoints
        self._ask = ask
        self.tags: tuple[str, ...] | None = None
        """As they are listed; None = not known."""
        self.voices: tuple[str, ...] = ()
        """Of synthesis, as they are listed; none = not known."""

    async def ask(self) -> None:
        """Ask every server of the preferred target that serves. Never raises."""
        first = self._endpoints.preferred
        serving = [one for one in self._endpoints.all if one.health is Health.SERVING and one.tier is first]
        answers = await asyncio.gather(*(self._listed(endpoint) for endpoint in serving))
        if voices := dict.fromkeys(name for models in answers for name in voices_of(models)):
            self.voices = tuple(voices)[:_MAX_VOICES]
        if listed := list(dict.fromkeys(tag for models in answers for tag in languages_of(models)))[:_MAX_LANGUAGES]:
            if self.tags is None or set(listed) != set(self.tags):
                log.info("%s has the languages %s", self._service, ", ".join(listed))
            self.tags = tuple(listed)

    async def run(self, every_s: float) -> None:
        """Ask until cancelled: at each probe while nothing is known, then now and then."""
        while True:
            await asyncio.sleep(every_s * (1 if self.tags is None else _KNOWN_FOR))
            await self.ask()

    async def _listed(self, endpoint: Endpoint) -> list[dict[str, str]]:
        """The parameters of its models or voices."""
        try:
            async with asyncio.timeout(_WITHIN_S):
                answer = await self._ask(endpoint)
            return [dict(model.parameters) for model in answer.model_config]
        except TimeoutError:
            log.debug("%s does not tell its languages within %g s", endpoint.name, _WITHIN_S)
        except grpc.aio.AioRpcError as error:
            log.debug("%s does not tell its languages: %s", endpoint.name, error.details())
        except Exception:  # whatever a library makes of nonsense
            log.debug("%s tells its languages in a way that can't be read", endpoint.name, exc_info=True)
        return []


def languages_of(listed: Iterable[Mapping[str, str]]) -> list[str]:
    """The languages in the parameters of models or voices. Only those for streams count, where there are any; a voice
    that speaks several has them in the names of its subvoices (EN-US.Aria)."""
    models = list(listed)
    online = [model for model in models if model.get("type", "online") == "online"] or models
    found: dict[str, str] = {}
    for model in online:
        tags = [tag.strip() for tag in model.get("language_code", "").split(",")]
        spoken = [match["locale"] for match in _LOCALE_OF_VOICE.finditer(model.get("subvoices", ""))]
        for tag in (*tags, *spoken):
            if tag and len(tag) <= _MAX_TAG_CHARS and tag.isprintable():
                found.setdefault(tag.casefold(), tag)
    return list(found.values())


def voices_of(listed: Iterable[Mapping[str, str]]) -> list[str]:
    """The voices in the parameters of synthesis: "English-US" with the subvoices "Ann:0,Bob:1" has English-US.Ann and
    English-US.Bob."""
    found: list[str] = []
    for model in listed:
        name = model.get("voice_name", "")
        subvoices = [entry.partition(":")[0].strip() for entry in model.get("subvoices", "").split(",")]
        found += [f"{name}.{subvoice}" if subvoice else name for subvoice in subvoices if name]
    return [voice for voice in found if len(voice) <= _MAX_VOICE_CHARS and voice.isprintable()]
