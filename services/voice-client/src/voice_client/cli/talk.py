"""`voice talk`: how does a person talk with a gateway? With microphone, loudspeaker and terminal."""

import asyncio
from dataclasses import replace
from typing import Annotated

import typer

from voice_client.cli import common_options
from voice_client.cli.keys import pressed_keys
from voice_client.cli.runner import USAGE, run, stderr
from voice_client.cli.talk_session import Calling, TalkSession
from voice_client.cli.talk_views import TalkView, view_for
from voice_client.device_choice import NoAudio
from voice_client.devices import PortAudio
from voice_client.errors import VoiceError
from voice_client.live import screen_state
from voice_client.live.echo_canceller import can_cancel_echo
from voice_client.live.live_caller import LiveOptions, first_state
from voice_client.live.screen import Screen
from voice_client.options import CallOptions

CLOSE_TIMEOUT_S = 2.0
"""Who quits waits no longer for a gateway that does not answer."""
_NO_CANCELLER = (
    'no echo cancellation is installed (pip install "voice-workflow-client[echo]"): wear headphones, '
    "or press h, so that the microphone is silent while a reply is heard"
)
_DEVICE_HELP = "as a number or part of a name that voice devices lists. Empty: the machine's default one."


@common_options.with_call_options()
def talk(
    target: common_options.Target = common_options.DEFAULT_TARGET,
    input: Annotated[str, typer.Option("--input", envvar="VOICE_INPUT", help=f"Microphone, {_DEVICE_HELP}")] = "",
    output: Annotated[str, typer.Option("--output", envvar="VOICE_OUTPUT", help=f"Loudspeaker, {_DEVICE_HELP}")] = "",
    push_to_talk: Annotated[
        bool,
        typer.Option(
            "--push-to-talk", help="Talk only between two taps of the space bar (or enter), or while it is held."
        ),
    ] = False,
    half_duplex: Annotated[
        bool,
        typer.Option(
            "--half-duplex",
            help="Silence the microphone while a reply is heard. For loudspeakers without echo cancellation; "
            "then only the key i interrupts a reply.",
        ),
    ] = False,
    echo_cancellation: Annotated[
        bool,
        typer.Option(
            "--echo-cancellation/--no-echo-cancellation",
            help="Take replies from the loudspeaker out of what the microphone hears, where the optional package "
            "pywebrtc-audio is installed.",
        ),
    ] = True,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Write plain lines instead of a screen: for screen readers, logs and pipes."),
    ] = False,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Talk with the microphone and the loudspeaker of this machine.

    The screen shows levels, your words, the reply as it is heard, latencies and the connection.

    Keys: i interrupts the reply, m mutes the microphone, t types a turn, h switches half-duplex, q quits.

    A connection that breaks is resumed by itself, with the audio in between.

    Exit status: 0 = it ended as wished; 1 = it failed; 2 = wrong usage, or no audio device; 3 = no gateway there.
    """
    live = LiveOptions(push_to_talk, half_duplex, cancel_echo=echo_cancellation and can_cancel_echo())
    options = replace(options, push_to_talk=push_to_talk, close_timeout_s=CLOSE_TIMEOUT_S)
    view = view_for(as_json=as_json, plain=plain, push_to_talk=push_to_talk)
    try:
        run(converse(Calling(target, options, live, PortAudio(input, output)), view))
    except NoAudio as error:
        stderr.print(str(error))
        raise typer.Exit(USAGE) from None


async def converse(calling: Calling, view: TalkView) -> bool:
    """Holds calls until one is over; True when that is as somebody wished. Raises NoAudio, VoiceError."""
    calling.device.check()
    live = calling.live
    screen = Screen(first_state(calling.target, live, asyncio.get_running_loop().time()), view.changed)
    session = TalkSession(calling, screen, view.event)
    try:
        with pressed_keys() as keys, view.shown(screen):
            if not (live.cancel_echo or live.half_duplex or live.push_to_talk):
                screen.show(screen_state.with_note(screen.state, _NO_CANCELLER))
            await session.run(keys)
    except VoiceError as error:
        view.failure(error)
        raise
    return True
