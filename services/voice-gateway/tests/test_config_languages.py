"""Is each language of the table found by its tag, and whole? What does the operator's file change, and the settings?"""

from pathlib import Path

import pytest
from serving.settings import BadSettings
from voice_gateway.config import Settings
from voice_gateway.config_languages import built_in, deployment_languages, operators_table, table
from voice_gateway.core.language import Language, Languages

MAY_BE_EMPTY = {"asr_language", "asr_model", "tts_language", "voice", "abbreviations"}
"""The backends choose; and there are languages without abbreviations of their own."""


def deployed(file: str = "", **settings: object) -> Languages:
    """The languages of a deployment with this file."""
    return deployment_languages(Settings(**settings), table(file) if file else {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "found"),
    [("en-US", "en-US"), ("EN-us", "en-US"), ("de", "de-DE"), ("de-AT", "de-DE"), ("es-MX", "es-US"), ("hi", "hi-IN")],
)
def test_a_tag_finds_its_language(tag: str, found: str) -> None:
    assert built_in().find(tag).tag == found


def test_an_unknown_language_has_no_words() -> None:
    assert built_in().find("xx-YY") == Language("xx-YY")


@pytest.mark.parametrize("tag", ["en-US", "de-DE", "es-US", "hi-IN"])
def test_a_language_is_whole(tag: str) -> None:
    entry = built_in().find(tag)
    empty = {name for name in Language.__slots__ if not getattr(entry, name)}
    assert empty <= MAY_BE_EMPTY


def test_words_are_casefolded() -> None:
    for entry in built_in().by_tag.values():
        lists = [words for name in Language.__slots__ if isinstance(words := getattr(entry, name), frozenset)]
        assert all(word == word.casefold() == " ".join(word.split()) for words in lists for word in words)


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    assert "on" in built_in().find("en-US").link_words
    assert "yes" in built_in().find("en-US").backchannels
    assert "null" in built_in().find("de-DE").digit_words


def test_hindi_is_written_in_devanagari() -> None:
    entry = built_in().find("hi-IN")
    for sentence in (entry.greeting, entry.idle_prompt, entry.goodbye, entry.call_warning, entry.apology):
        letters = [sign for sign in sentence if sign.isalpha()]
        assert letters
        assert all("\u0900" <= sign <= "\u097f" for sign in letters)


# ------------------------------------------------------------------------------------------- the operator's file


def test_a_file_changes_a_field_and_leaves_the_others() -> None:
    found = deployed("de-de: {apology: Verzeihung.}").find("de-DE")
    assert (found.tag, found.apology) == ("de-DE", "Verzeihung.")
    assert found.idle_prompt == built_in().find("de-DE").idle_prompt


def test_a_file_adds_a_language_and_the_deployment_says_what_it_lacks() -> None:
    found = deployed("fr-FR: {idle_prompt: Vous êtes toujours là ?, fillers: [EUH]}", llm_apology="Oops.").find("fr")
    assert (found.tag, found.idle_prompt, found.apology) == ("fr-FR", "Vous êtes toujours là ?", "Oops.")
    assert found.fillers == {"euh"}
    assert not found.backchannels


def test_a_sentence_that_the_file_empties_is_not_said() -> None:
    assert deployed('de-DE: {goodbye: ""}').find("de").goodbye == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("de-DE: {gretting: Hallo}", "de-DE.gretting: is no field of a language; is greeting meant?"),
        ("de-DE: {fillers: äh}", r"de-DE.fillers: must be a list of words, such as \[one, two\]"),
        ("de-DE: {number_digits: many}", "de-DE.number_digits: must be a number, such as 10"),
        ("de-DE: {fillers: [äh, [ähm]]}", "de-DE.fillers: must be a list of words"),
        ("de-DE: {greeting: [Hallo]}", "de-DE.greeting: must be one text"),
        ("de-DE: Hallo", "de-DE: must hold fields"),
        ("de-DE: {voice: a}\nde-de: {voice: b}", "de-de: stands there twice; take one out"),
        ("de-DE: {voice: a, voice: b}", "de-DE.voice: stands there twice"),
        ("[de-DE]", "this must be a mapping of language tags"),
        ("", "this must be a mapping of language tags"),
        ("de-DE: {", "this is no YAML: "),
        ("d e: {voice: a}", "'d e' is no language tag; write one such as fr-FR"),
        (f"de-DE: {{greeting: {'x' * 1001}}}", "de-DE.greeting: has 1001 characters; 1000 are the most"),
    ],
)
def test_a_bad_file_is_refused_with_the_key_and_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "languages.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings, match=rf"^GATEWAY_LANGUAGES_FILE: {file}: {says}"):
        operators_table(Settings(gateway_languages_file=file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="can't be read"):
        operators_table(Settings(gateway_languages_file=tmp_path / "none.yaml"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "languages.yaml"
    file.write_bytes(b"de-DE: {voice: \xff}")
    with pytest.raises(BadSettings, match="is no UTF-8 text at byte 15"):
        operators_table(Settings(gateway_languages_file=file))


# -------------------------------------------------------------------------------------------------- the settings


def test_what_is_set_holds_for_the_deployments_own_language() -> None:
    found = deployed(
        "de-DE: {apology: Verzeihung., voice: Ute}",
        asr_language="de-DE", tts_voice="Ada", riva_model="parakeet", turn_idle_prompt="Hallo?", llm_apology="Pardon.",
        greeting="Willkommen bei Meier.", llm_system_prompt="Seien Sie nett.",
    )  # fmt: skip
    own, other = found.find("de"), found.find("es")
    assert (own.voice, own.asr_model, own.idle_prompt, own.apology) == ("Ada", "parakeet", "Hallo?", "Pardon.")
    assert (own.greeting, own.system_prompt) == ("Willkommen bei Meier.", "Seien Sie nett.")
    assert (other.voice, other.asr_model, other.apology) == ("", "", built_in().find("es").apology)


def test_what_is_not_set_is_the_tables() -> None:
    own = deployed("en-US: {apology: Pardon me., voice: Ada}").find("en")
    assert (own.apology, own.voice) == ("Pardon me.", "Ada")
    assert own.system_prompt == built_in().find("en").system_prompt


def test_a_deployment_in_a_language_that_nobody_wrote_down_has_its_own_sentences() -> None:
    found = deployed(asr_language="ja-JP", greeting="こんにちは。", llm_apology="すみません。")
    assert found.find("ja").apology == "すみません。"
    assert found.find("ja").idle_prompt == ""
    assert found.find("ko-KR").apology == "すみません。"


def test_the_deployments_own_tag_comes_before_other_countries() -> None:
    assert deployed(asr_language="de-AT").find("de").tag == "de-AT"
    assert deployed(asr_language="de-AT").find("de-AT").backchannels == built_in().find("de-DE").backchannels


def test_a_deployment_that_greets_nobody_greets_nobody_in_any_language() -> None:
    assert {entry.greeting for entry in deployed().by_tag.values()} == {""}
    assert deployed("de-DE: {greeting: Servus!}").find("de").greeting == "Servus!"


def test_a_deployment_that_greets_greets_everybody_in_their_language() -> None:
    found = deployed(greeting="Welcome to Acme.")
    assert found.find("en").greeting == "Welcome to Acme."
    assert found.find("de").greeting == built_in().find("de").greeting


def test_the_deployments_prompt_holds_in_every_language_that_has_none_of_its_own() -> None:
    found = deployed("es-US: {system_prompt: Sea amable.}", llm_system_prompt="You sell flowers.")
    assert found.find("de").system_prompt == f"You sell flowers.\n{built_in().find('de').answer_in}"
    assert found.find("es").system_prompt == "Sea amable."
    assert found.find("fr-FR").system_prompt == "You sell flowers."


def test_none_is_no_apology_and_no_prompt_in_any_language() -> None:
    found = deployed(llm_apology="none", llm_system_prompt="None")
    assert {(entry.apology, entry.system_prompt) for entry in found.by_tag.values()} == {("", "")}
    assert (found.otherwise.apology, found.otherwise.system_prompt) == ("", "")


def test_the_example_of_the_document_is_a_whole_language() -> None:
    page = (Path(__file__).parents[3] / "docs" / "languages.md").read_text(encoding="utf-8")
    found = deployed(page.partition("```yaml\n")[2].partition("```")[0], greeting="Hello!")
    french = found.find("fr")
    assert {name for name in Language.__slots__ if not getattr(french, name)} <= MAY_BE_EMPTY
    assert french.greeting == "Bonjour ! Comment puis-je vous aider ?"
    assert found.find("de").voice == "Magpie-Multilingual.DE-DE.Aria"
    assert found.find("de").apology == built_in().find("de").apology


def test_the_document_names_every_field_of_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "languages.md").read_text(encoding="utf-8")
    assert [name for name in Language.__slots__ if f"`{name}`" not in page and name != "tag"] == []


def test_a_country_has_the_words_of_the_first_one_of_its_language() -> None:
    found = deployed("de-AT: {greeting: Grüß Gott!, sign_names: {hash: Raute-Taste}}", greeting="Hi.").find("de-AT")
    german = built_in().find("de-DE")
    assert found.greeting == "Grüß Gott!"
    assert (found.backchannels, found.apology) == (german.backchannels, german.apology)
    assert found.sign_names is not None
    assert german.sign_names is not None
    assert (found.sign_names.hash, found.sign_names.star) == ("Raute-Taste", german.sign_names.star)
    assert deployed("de-AT: {greeting: Grüß Gott!}").find("de").tag == "de-DE"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("de-DE: {sign_names: [Stern]}", "de-DE.sign_names: must be names by sign"),
        ("de-DE: {sign_names: {asterisk: Stern}}", "de-DE.sign_names.asterisk: is no sign; there are star, hash"),
    ],
)
def test_names_of_signs_are_checked_too(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        table(text)
