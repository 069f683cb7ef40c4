"""`voice info`: what does a gateway serve?"""

from collections.abc import Iterator

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.table import Table
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.cli import common_options
from voice_client.cli.output import call_output, write_line
from voice_client.cli.runner import run
from voice_client.errors import VoiceError
from voice_client.info import server_info
from voice_client.options import CallOptions


@common_options.with_call_options("language", "voice", "system_prompt")
def info(
    target: common_options.Target = common_options.DEFAULT_TARGET,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Print what the gateway serves: models, formats, languages, limits. Exit status 1 = it is not ready."""
    run(_info(target, options, as_json=as_json))


async def _info(target: str, options: CallOptions, *, as_json: bool) -> bool:
    try:
        served = await server_info(target, options)
    except VoiceError as error:
        call_output(as_json=as_json).failure(error)
        raise
    if as_json:
        write_line({"event": "info", **_fields(served)})
        return served.ready
    table = Table("gateway", target)
    for name, value in _readable(served):
        table.add_row(name, value)
    Console(highlight=False).print(table)
    return served.ready


def _fields(served: pb.ServerInfo) -> dict[str, object]:
    return dict(MessageToDict(served, preserving_proto_field_name=True, always_print_fields_with_no_presence=True))


def _readable(served: pb.ServerInfo) -> Iterator[tuple[str, str]]:
    """What is set, for people: enums without their prefix, limits one by one, yes and no."""
    for name, value in _fields(served).items():
        match value:
            case dict():
                yield from ((f"{name.removesuffix('s')} {inner}", str(number)) for inner, number in value.items())
            case bool():
                yield name, "yes" if value else "no"
            case list():
                yield name, ", ".join(str(entry).removeprefix("AUDIO_ENCODING_") for entry in value) or "-"
            case "":
                if name != "not_ready_reason":
                    yield name, "(the backend's default)"
            case _:
                yield name, str(value)
