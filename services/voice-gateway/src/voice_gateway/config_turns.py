"""When does a turn end, and what interrupts a reply? Settings of turn-taking and of the detector."""

from pathlib import Path
from typing import Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from voice_gateway.config_fields import LIVE, Seconds, SettingsPart


class TurnSettings(SettingsPart):  # size: a field for each setting, and the checks that name it
    """Turn-taking and voice activity."""

    greeting: str = Field(
        "",
        description="greeting that the agent speaks first to callers of ASR_LANGUAGE; others are then greeted in their "
        "own language; empty = the caller begins",
        json_schema_extra=LIVE,
    )
    turn_end_silence_s: Seconds = Field(
        0.15,
        description="silence, after VAD_HANGOVER_S, that ends a turn of settled words that may be complete",
        json_schema_extra=LIVE,
    )
    turn_complete_silence_s: Seconds = Field(
        0.1,
        description='silence, after VAD_HANGOVER_S, that ends a turn of complete words: "yes", or a sentence',
        json_schema_extra=LIVE,
    )
    turn_incomplete_silence_s: Seconds = Field(
        1.25,
        description='silence, after VAD_HANGOVER_S, that ends a turn in the middle of a sentence, such as after "and"',
        json_schema_extra=LIVE,
    )
    turn_reading_silence_s: Seconds = Field(
        1.5,
        description="silence, after VAD_HANGOVER_S, that ends a turn while the caller reads out a number or "
        "an e-mail address, or spells a word",
        json_schema_extra=LIVE,
    )
    turn_learned_silence_max_s: Seconds = Field(
        0.5,
        description="longest silence that a caller who pauses often gets instead of TURN_END_SILENCE_S; 0 = never "
        "longer",
        json_schema_extra=LIVE,
    )
    turn_learned_silence_min_s: Seconds = Field(
        0.1,
        description="shortest silence that a caller who never pauses gets instead of TURN_END_SILENCE_S, at least half "
        "of that; a value above it = never shorter",
        json_schema_extra=LIVE,
    )
    turn_max_silence_s: Seconds = Field(
        1.5,
        description="silence that ends a turn of words that may still change (TURN_END_SILENCE_S is for settled ones)",
        json_schema_extra=LIVE,
    )
    turn_end_on_final: bool = Field(
        False, description="a final ends the turn without further silence", json_schema_extra=LIVE
    )
    turn_greeting_protected: bool = Field(
        False,
        description="the greeting is spoken to its end, as a legal notice must be: what the caller says meanwhile is "
        "answered after it, and only the Interrupt of a client stops it",
        json_schema_extra=LIVE,
    )
    turn_barge_in_after_s: Seconds = Field(
        0.17,
        description="speech with words over a reply that interrupts it; the reply is held from the first sound on",
        json_schema_extra=LIVE,
    )
    turn_barge_in_words: int = Field(
        0,
        ge=0,
        le=20,
        description="words over a reply that interrupt it; 0 = one word, or speech without words for TURN_MAX_HOLD_S",
        json_schema_extra=LIVE,
    )
    turn_max_hold_s: float = Field(
        2,
        ge=0.1,
        le=30,
        description="longest speech without words that holds a reply; then it is interrupted, or goes on where "
        "TURN_BARGE_IN_WORDS is set or recognition has heard the sound and no word; speech without a new word for so "
        "long also ends a turn, because it is noise",
        json_schema_extra=LIVE,
    )
    turn_resume_after_s: float = Field(
        0.5,
        ge=0,
        le=2,
        description="longest silence after a cough until a held reply goes on; it goes on sooner once the recogniser "
        "has heard the cough and no word",
        json_schema_extra=LIVE,
    )
    turn_preemptive: bool = Field(
        True,
        description="start the reply as soon as the caller's words look complete, and play it when the turn has ended; "
        "the request to the model is wasted where the caller goes on; an overloaded gateway starts none early",
        json_schema_extra=LIVE,
    )
    turn_preemptive_tries: int = Field(
        3,
        ge=1,
        le=100,
        description="replies started early, at most, until one is heard",
        json_schema_extra=LIVE,
    )
    turn_preemptive_max_speech_s: Seconds = Field(
        10,
        description="no reply is started early in a turn longer than this: its caller is likely to go on",
        json_schema_extra=LIVE,
    )
    turn_scorer: Literal["rules", "smart-turn"] = Field(
        "rules",
        description="who judges whether a turn may be over: rules = the words alone; smart-turn = a model that listens "
        "to the last 8 s, too (40 to 90 ms of a core for each pause of a caller; voice-gateway models pull smart-turn)",
    )
    turn_scorer_model_file: Path | None = Field(
        None, description="ONNX file of Smart Turn v3 for TURN_SCORER=smart-turn; unset = where `models pull` puts it"
    )
    turn_complete_score: float = Field(
        0.5,
        gt=0,
        le=1,
        description="probability from which a turn is over for TURN_SCORER=smart-turn",
        json_schema_extra=LIVE,
    )
    turn_max_s: float = Field(60, ge=1, description="longest turn of a caller", json_schema_extra=LIVE)
    turn_lag_slack_s: Seconds = Field(
        0.6, description="a recogniser this far back counts as behind", json_schema_extra=LIVE
    )
    turn_max_lag_s: Seconds = Field(
        8,
        description="a recogniser that is behind and tells nothing for this long counts as lost",
        json_schema_extra=LIVE,
    )
    turn_idle_after_s: Seconds = Field(
        0, description="silence until the agent asks if anybody is there; 0 = never", json_schema_extra=LIVE
    )
    turn_idle_tries: int = Field(
        2, ge=0, description="how often the agent asks into silence before it hangs up", json_schema_extra=LIVE
    )
    turn_idle_prompt: str = Field(
        "",
        description="what the agent asks into silence; empty = the language's own",
        json_schema_extra=LIVE,
    )
    vad: Literal["silero", "none"] = Field("silero", description="voice activity detector")
    vad_start: float = Field(
        0.5, gt=0, le=1, description="speech probability from which speech starts", json_schema_extra=LIVE
    )
    vad_stop: float = Field(
        0.35, gt=0, le=1, description="speech probability below which speech stops", json_schema_extra=LIVE
    )
    vad_start_frames: int = Field(
        2, ge=1, description="frames of 32 ms above VAD_START that start speech", json_schema_extra=LIVE
    )
    vad_hangover_s: Seconds = Field(
        0.25, description="silence after which speech counts as stopped", json_schema_extra=LIVE
    )
    vad_overlap_hangover_s: Seconds = Field(
        0.1,
        description="VAD_HANGOVER_S while a reply plays; shorter than TURN_BARGE_IN_AFTER_S",
        validate_default=True,
        json_schema_extra=LIVE,
    )

    @field_validator("vad")
    @classmethod
    def _asks_the_scorer(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and info.data.get("turn_scorer") == "smart-turn":
            raise ValueError("TURN_SCORER=smart-turn is asked when the detector hears a pause; set VAD=silero")
        return value

    @field_validator("vad_overlap_hangover_s")
    @classmethod
    def _lets_a_cough_end(cls, value: float, info: ValidationInfo) -> float:
        barge_in_after_s = info.data.get("turn_barge_in_after_s", 0.0)
        if 0 < barge_in_after_s <= value:
            raise ValueError(
                f"must be below TURN_BARGE_IN_AFTER_S ({barge_in_after_s:g}), or a cough like a word interrupts"
            )
        return value
