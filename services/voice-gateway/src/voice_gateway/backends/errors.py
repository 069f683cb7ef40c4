"""What happens when a backend fails? Foreign errors become ours here, with a sentence, and nowhere else."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
import httpx2
import openai

from voice_gateway.backends.chat_too_long import limit_of
from voice_gateway.backends.retry_after import retry_after_s
from voice_gateway.errors import Broken, ChatTooLong, Service, TooSlow, Unavailable, VoiceError

_NAMES: dict[Service, str] = {"asr": "speech recognition", "llm": "the language model", "tts": "speech synthesis"}
_BUSY = (408, 425, 429)
"""HTTP statuses that another try may change, as every status of the server's own trouble (5xx)."""
_OVERLOADED = (429, 503, 529)
"""HTTP statuses of a server that has too much to do; 529 is NVIDIA Dynamo's."""
_DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)

T = TypeVar("T")


@contextmanager
def riva_errors(service: Service) -> Iterator[None]:
    """A gRPC status becomes Upstream."""
    try:
        yield
    except (asyncio.InvalidStateError, grpc.aio.UsageError):
        # Written to after it ended; gRPC tells the status to readers only.
        raise Unavailable(service, f"{_NAMES[service]} ended its stream; try again") from None
    except grpc.aio.AioRpcError as error:
        code, details = error.code(), error.details() or "no details"
        sentence = f"{_NAMES[service]} failed with {code.name}: {details}"
        if code in _DOWN:
            trailers = {name: value for name, value in error.trailing_metadata() or () if isinstance(value, str)}
            overloaded = code is grpc.StatusCode.RESOURCE_EXHAUSTED
            wait_s = retry_after_s(trailers)
            raise Unavailable(service, sentence, retry_after_s=wait_s, overloaded=overloaded) from None
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TooSlow(service, sentence) from None
        bad_settings = code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
        raise Broken(service, sentence, retryable=not bad_settings) from None


def decoded(service: Service, message: T | None) -> T:
    """A message of a gRPC stream. gRPC makes None of bytes that don't decode; raises Broken then."""
    if message is None:
        raise Broken(service, f"{_NAMES[service]} answered with bytes that are no Riva message; check its version")
    return message


@contextmanager
def llm_errors() -> Iterator[None]:
    """An error of the openai package, or of the two HTTP clients under it, becomes Upstream."""
    try:
        yield
    except VoiceError:
        raise
    except openai.APITimeoutError as error:
        if isinstance(error.__cause__, httpx2.ConnectTimeout):  # a refused connection, too, comes as this
            raise Unavailable("llm", f"the language model can't be reached: {error.__cause__}; try again") from None
        raise TooSlow("llm", "the language model did not answer in time; try again") from None
    except openai.APIConnectionError as error:
        raise Unavailable("llm", f"the language model can't be reached: {error}") from None
    except openai.APIStatusError as error:
        sentence = f"the language model answered HTTP {error.status_code}: {error.message}"
        if error.status_code in _BUSY or error.status_code >= 500:
            wait_s, overloaded = retry_after_s(error.response.headers), error.status_code in _OVERLOADED
            raise Unavailable("llm", sentence, retry_after_s=wait_s, overloaded=overloaded) from None
        if (limit_tokens := limit_of(error.status_code, error.message, error.body)) is not None:
            raise ChatTooLong(sentence, limit_tokens) from None
        raise Broken("llm", sentence, retryable=False) from None
    except Exception as error:  # nonsense on the wire comes out of those packages as almost anything
        raise Broken("llm", f"the language model's answer can't be used: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


@contextmanager
def deadline(service: Service, seconds: float, what: str) -> Iterator[None]:
    """Turns the TimeoutError of an `asyncio.timeout` inside it into TooSlow."""
    try:
        yield
    except TimeoutError:
        raise TooSlow(service, f"{_NAMES[service]} sent no {what} within {seconds:g} s; try again") from None
