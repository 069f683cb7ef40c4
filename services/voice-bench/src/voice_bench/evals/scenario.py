"""What may stand in a scenario? The format of the YAML files, checked and described for editors (JSON Schema).

Times are seconds. Every description stands alone: editors show it beside the key.
"""

import re
from math import inf
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

Seconds = Annotated[float, Field(ge=0)]

EventName = Literal[
    "caller speaks",
    "caller silent",
    "caller makes noise",
    "caller types",
    "caller commits",
    "caller interrupts",
    "caller mutes",
    "caller unmutes",
    "caller hangs up",
    "link down",
    "link up",
    "call began",
    "call ended",
    "speech started",
    "speech stopped",
    "partial",
    "final",
    "turn ended",
    "reply started",
    "reply held",
    "reply resumed",
    "reply retracted",
    "reply truncated",
    "reply interrupted",
    "reply ended",
    "reply audible",
    "reply heard",
    "word heard",
    "model asked",
    "phrase spoken",
    "recogniser opened",
    "tool call",
    "tool call cancelled",
    "failure",
    "go away",
]


class ScenarioModel(BaseModel):
    """What every part of a scenario has in common: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventPattern(ScenarioModel):
    """An event, and what must be true of it."""

    event: EventName = Field(description="Name of the event.")
    text: str | None = Field(None, description="Words of the event; case and punctuation do not matter.")
    contains: str | None = Field(None, description="Words that stand in the event's text, one after the other.")
    heard: str | None = Field(None, description="Words that count as heard of an interrupted reply.")
    reply: int | None = Field(
        None, ge=1, description="Number of the reply, 1 for the first that the caller is told of."
    )
    turn: int | None = Field(None, ge=1, description="Number of the caller's turn.")
    reason: str | None = Field(None, description="Reason of an end, code of a failure, name of a tool.")


class ExpectedEvent(EventPattern):
    """An event that must come, after the one that stands before it in the list."""

    within: Seconds | None = Field(None, description="Latest time of the event, seconds after the event before it.")
    no_sooner: Seconds | None = Field(
        None, description="Earliest time of the event, seconds after the event before it."
    )
    of: EventName | None = Field(
        None, description="Event from whose last time before this one 'within' and 'no_sooner' count."
    )


class AbsentEvent(EventPattern):
    """An event that must not come."""

    after: EventName | None = Field(None, description="Event before whose first time nothing is looked at.")
    before: EventName | None = Field(None, description="Event after whose first time nothing is looked at.")


def _named(value: object) -> object:
    """An event may be told by its name alone."""
    return {"event": value} if isinstance(value, str) else value


Expected = Annotated[ExpectedEvent, BeforeValidator(_named, json_schema_input_type=EventName | ExpectedEvent)]
Absent = Annotated[AbsentEvent, BeforeValidator(_named, json_schema_input_type=EventName | AbsentEvent)]
Awaited = Annotated[EventPattern, BeforeValidator(_named, json_schema_input_type=EventName | EventPattern)]

# -------------------------------------------------------------------------------------- what the caller does

ACTIONS = ("say", "play", "noise", "wait", "type", "commit", "interrupt", "mute", "drop_link", "stall_link", "hang_up")


class Step(ScenarioModel):
    """Something that the caller does, once the step before it is over."""

    when: Awaited | None = Field(None, description="Event to wait for; one since the step before began counts.")
    at: Seconds | None = Field(None, description="Second of the call to wait for.")
    after: Seconds = Field(0.0, description="Wait after 'when' or 'at', or after the step before, seconds.")

    say: str | None = Field(None, description="Text to say; [1.2] is a pause of 1.2 s in it.")
    play: str | None = Field(None, description="Audio file to play, relative to the scenario; its words in 'heard_as'.")
    noise: Seconds | None = Field(None, description="Cough or other sound of so many seconds.")
    wait: Seconds | None = Field(None, description="Seconds of silence.")
    type: str | None = Field(None, description="Turn to type.")
    commit: Literal[True] | None = Field(None, description="The turn is over (push-to-talk).")
    interrupt: Literal[True] | None = Field(None, description="Stop the reply.")
    mute: Seconds | None = Field(None, description="Seconds in which the client sends no audio.")
    drop_link: Seconds | None = Field(None, description="Seconds until the client is back after its stream breaks.")
    stall_link: Seconds | None = Field(None, description="Seconds in which nothing gets through in either direction.")
    hang_up: Literal[True] | None = Field(None, description="End of the call.")

    meanwhile: bool = Field(False, description="Whether the next step begins at once, beside this one.")
    words_per_minute: float = Field(160.0, gt=0, le=1000, description="Speaking rate of 'say'.")
    heard_as: str | None = Field(
        None, description="Final transcript of what is said, played or a noise, where it is not the words themselves."
    )
    partial_as: str | None = Field(None, description="Partial transcript, where it is not the words themselves.")

    @model_validator(mode="after")
    def _does_one_thing(self) -> "Step":
        done = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(done) != 1:
            found = f"it has {', '.join(done)}" if done else "it has none"
            raise ValueError(f"a step needs one of {', '.join(ACTIONS)}; {found}")
        if self.say is not None and not re.sub(r"\[[\d.]*\]", "", self.say).strip():
            raise ValueError("'say' has no word; a step that is silent is 'wait'")
        if self.play is not None and not self.heard_as:
            raise ValueError("a step that plays a file says in 'heard_as' which words are in it")
        if self.when is not None and self.at is not None:
            raise ValueError("a step waits for 'when' or 'at', not for both")
        return self


class Echo(ScenarioModel):
    """The caller's loudspeaker is heard by its microphone."""

    delay: Seconds = Field(0.08, description="Time from the loudspeaker to the microphone, seconds.")
    heard_as: str | None = Field(
        None, description="Words that the recogniser makes of the echo, where they are not those of the reply."
    )


class ClientTool(ScenarioModel):
    """A tool that the client offers and executes."""

    description: str = Field("", description="Description for the language model.")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="JSON Schema of the arguments.")
    side_effects: bool = Field(False, description="Whether a call changes something that can't be taken back.")
    returns: str = Field("{}", description="Content of the result.")
    fails: bool = Field(False, description="Whether the result says that the tool failed.")
    takes: Seconds = Field(0.2, description="Seconds until the result; a tool that takes too long is one that hangs.")


class Client(ScenarioModel):
    """The caller's client and its link."""

    message_s: float = Field(0.032, gt=0, le=1, description="Audio in one message, seconds.")
    reports: bool = Field(True, description="Whether the client reports what it has played.")
    heartbeats: bool = Field(True, description="Whether the client sends something at least every 0.5 s.")
    link_delay: Seconds = Field(0.0, description="Time on the way, each direction, seconds.")
    echo: Echo | None = Field(None, description="Loudspeaker without echo cancellation; unset = headphones.")
    tools: dict[str, ClientTool] = Field(default_factory=dict, description="Tools of the client, by name.")
    patience: Seconds = Field(
        4.0, description="Seconds in which nothing happens until the client hangs up by itself after its last step."
    )
    stays: bool = Field(False, description="Whether the client never hangs up by itself.")


class SessionOptions(ScenarioModel):
    """What the client asks for when the call starts."""

    language: str = Field("", description="Language; empty = ASR_LANGUAGE.")
    greeting: str = Field("", description="Greeting; empty = GREETING.")
    system_prompt: str = Field("", description="System prompt; empty = LLM_SYSTEM_PROMPT.")
    push_to_talk: bool = Field(False, description="Whether only the caller ends turns and stops replies.")
    hotwords: dict[str, float] = Field(default_factory=dict, description="Hotwords with their boost.")


# ------------------------------------------------------------------------------------------- the backends


class RecordedResult(ScenarioModel):
    """A result that the recogniser gives at a fixed time of the call, whatever it was sent."""

    at: Seconds = Field(description="Second of the call.")
    text: str = Field("", description="Transcript.")
    final: bool = Field(False, description="Whether it will not change.")
    stability: float = Field(0.0, ge=0, le=1, description="1.0 on a partial = first-pass end of utterance.")
    until: Seconds | None = Field(None, description="Audio that it stands for, second of the call; unset = all.")


class Outage(ScenarioModel):
    """A time in which a server is away."""

    at: Seconds = Field(description="Second of the call at which it begins.")
    lasts: Seconds = Field(inf, description="How long it lasts, seconds; unset = to the end of the call.")
    kind: Literal["dies", "hangs"] = Field(
        "dies", description="dies = connections break and new ones are refused; hangs = nothing is answered."
    )
    server: int = Field(1, ge=1, le=4, description="Number of the server, 1 for the first.")


class RecogniserScript(ScenarioModel):
    """How the recogniser behaves."""

    servers: int = Field(1, ge=1, le=4, description="Number of servers.")
    delay: Seconds = Field(0.02, description="Time from audio to a result of it, seconds.")
    partials: Seconds = Field(0.1, description="Audio between two partials, seconds; 0 = no partials.")
    stability: float = Field(0.5, ge=0, lt=1, description="Stability of partials.")
    final_after: Seconds | None = Field(
        None, description="Silence after which the final comes, seconds; unset = what the gateway asks for."
    )
    first_pass_after: Seconds | None = Field(
        None, description="Silence after which a partial has stability 1.0, seconds; unset = what the gateway asks for."
    )
    final_delay: Seconds = Field(0.0, description="Additional time until a final, seconds.")
    finals: bool = Field(True, description="Whether finals come at all.")
    word_times: bool = Field(True, description="Whether finals tell when each word was said.")
    idle_limit: Seconds | None = Field(
        None, description="Time without audio after which the server ends a stream, seconds; unset = never."
    )
    outages: tuple[Outage, ...] = Field((), description="Times in which a server is away.")
    results: tuple[RecordedResult, ...] | None = Field(
        None, description="Results in place of those that follow from the caller's words, such as those of a real call."
    )


class ToolRequest(ScenarioModel):
    """A tool call that the model makes."""

    name: str = Field(description="Name of the tool.")
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="Arguments of the call.")


class ModelAnswer(ScenarioModel):
    """What the language model answers."""

    to: str | None = Field(
        None,
        description="Words in the question that it answers; unset = the next question without an answer of its own.",
    )
    say: str = Field("", description="Text of the answer.")
    calls: tuple[ToolRequest, ...] = Field((), description="Tool calls in place of text, or after it.")
    then_say: str = Field("", description="Text once the tools have answered.")
    first_token: Seconds = Field(0.15, description="Time from the request to the first text, seconds.")
    tokens_per_second: float = Field(60.0, gt=0, description="Words a second after the first.")
    fault: Literal["refuses", "hangs", "breaks", "stalls", "says nothing"] | None = Field(
        None,
        description="refuses = HTTP 503; hangs = an open stream without text; breaks, stalls = in the middle of the "
        "answer; says nothing = an end without text.",
    )
    fault_times: int = Field(1000, ge=1, description="Number of requests that meet the fault; later ones go well.")


class ModelScript(ScenarioModel):
    """How the language model behaves."""

    answers: tuple[ModelAnswer, ...] = Field((), description="Answers; the last one is used again. None = 'All right.'")


class VoiceFault(ScenarioModel):
    """What goes wrong with a phrase."""

    phrase: int = Field(ge=1, description="Number of the phrase that is asked for first, 1 for the first of the call.")
    kind: Literal["zero audio", "dies", "hangs", "refuses"] = Field(
        description="zero audio = an end without any; dies, hangs = after 'after' seconds of audio; refuses = at once."
    )
    after: Seconds = Field(0.3, description="Audio before the fault, seconds.")
    times: int = Field(1, ge=1, description="Number of calls from that phrase on that meet the fault.")


class VoiceScript(ScenarioModel):
    """How the synthesiser behaves."""

    first_audio: Seconds = Field(0.08, description="Time from a phrase to its first audio, seconds.")
    words_per_minute: float = Field(160.0, gt=0, le=1000, description="Speaking rate.")
    faster: float = Field(10.0, gt=0, description="Audio made in a second, seconds.")
    chunk: float = Field(0.1, gt=0, description="Audio in one message, seconds.")
    word_times: bool = Field(True, description="Whether the voice tells when each word is over.")
    faults: tuple[VoiceFault, ...] = Field((), description="Phrases that go wrong.")


# ----------------------------------------------------------------------------------------------- expectations


Ending = Literal["caller ended", "idle", "max duration", "drained", "failed", "caller gone"]


class HistoryEntry(ScenarioModel):
    """The caller's words and the reply to them, as the language model will be shown them."""

    caller: str = Field("", description="Words of the caller; empty = none, as before a greeting.")
    reply: str = Field("", description="Words of the reply that count as heard.")
    cut: bool | None = Field(None, description="Whether the reply was interrupted; unset = either.")


class Expectations(ScenarioModel):
    """What must be true when the call is over."""

    events: tuple[Expected, ...] = Field((), description="Events in their order; others may come between them.")
    absent: tuple[Absent, ...] = Field((), description="Events that must not come.")
    count: dict[EventName, int] = Field(default_factory=dict, description="Number of times that events come.")
    at_most: dict[EventName, int] = Field(default_factory=dict, description="Largest number of times that events come.")
    history: tuple[HistoryEntry, ...] | None = Field(None, description="The whole history; unset = not looked at.")
    heard: str | None = Field(None, description="All words of replies that the caller heard; unset = not looked at.")
    ended: Ending = Field("caller ended", description="How the call ends.")
    failures: tuple[str, ...] = Field((), description="Codes of failures that the caller may be told of.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Values of the gateway's metrics at the end.")


class Scenario(ScenarioModel):
    """A conversation, how the backends behave in it, and what must be true of it."""

    title: str = Field(description="What the scenario is about, one sentence.")
    source: str = Field("", description="Where it comes from, such as a public issue.")
    settings: dict[str, str | float | bool] = Field(
        default_factory=dict, description="Settings of the gateway by the name of their environment variable."
    )
    session: SessionOptions = Field(default_factory=SessionOptions, description="What the client asks for.")
    client: Client = Field(default_factory=Client, description="The caller's client and its link.")
    recogniser: RecogniserScript = Field(default_factory=RecogniserScript, description="How recognition behaves.")
    model: ModelScript = Field(default_factory=ModelScript, description="How the language model behaves.")
    voice: VoiceScript = Field(default_factory=VoiceScript, description="How speech synthesis behaves.")
    caller: tuple[Step, ...] = Field(min_length=1, description="What the caller does, step by step.")
    expect: Expectations = Field(default_factory=Expectations, description="What must be true of the call.")
    limit: float = Field(120.0, gt=0, le=7200, description="Seconds after which a call that goes on counts as hanging.")
