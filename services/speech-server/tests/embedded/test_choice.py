"""Which decoder is believed, what is held back, and which words does a grammar speak of?"""

from speech_server.embedded.espeak_chunks import CHUNK_S, Chunks, Event, SoundEnded, WordBegan
from speech_server.embedded.espeak_voices import RATE_HZ, VOICES
from speech_server.embedded.frames import pack_hypothesis, pack_words, unpack_hypothesis, unpack_words
from speech_server.embedded.jsgf import words_of
from speech_server.embedded.sphinx_choice import Segment, chosen, hypothesis, settled
from speech_server.ports import Hypothesis, Word

BUFFER = bytes(2 * RATE_HZ * 60 // 1000)


def segments(*words: str, frames: int = 20) -> tuple[Segment, ...]:
    return tuple(Segment(word, at * frames, (at + 1) * frames - 1, 0.5) for at, word in enumerate(words))


def test_fillers_and_variant_marks_are_no_words() -> None:
    heard = hypothesis(segments("<s>", "been(2)", "(NULL)", "<sil>", "[SPEECH]", "++NOISE++", "there", "</s>"))
    assert heard.text == "been there"
    assert heard.words[0] == Word("been", 0.2, 0.4, 0.5)
    assert heard.confidence == 0.5


def test_the_last_word_of_a_partial_waits_for_a_pause() -> None:
    assert hypothesis(settled(segments("go", "for"))).text == "go"
    assert hypothesis(settled(segments("go", "forward", "<sil>"))).text == "go forward"
    assert hypothesis(settled((*segments("go", "for"), Segment("</s>", 40, 43)))).text == "go"
    assert settled(()) == ()


def test_a_grammar_is_believed_only_near_what_the_open_model_heard() -> None:
    free = segments("with", "an", "up", "clubs")
    near, far = segments("ten", "of", "clubs"), segments("what", "time", "is", "it")
    assert chosen(free, [(near, 0.4)])[0] == near
    assert chosen(free, [(far, 0.4)]) == (free, 1.0)
    assert chosen(free, [(far, 0.4), (near, 0.4)])[0] == near
    assert chosen((), [(near, 0.4)]) == ((), 1.0)


def test_a_grammar_that_agrees_is_trusted_fully() -> None:
    same = segments("go", "forward")
    assert chosen(same, [(same, 0.4)]) == (same, 1.0)


def test_the_words_of_a_grammar_are_found_among_its_signs() -> None:
    grammar = """#JSGF V1.0 UTF-8 en;
    grammar robot.moves; // not this
    import <other.*>;
    /* nor
       this */
    public <move> = [please] (go | walk {walk it}) <where>+ /0.5/ "don't" stop* | go;
    <where> = forward|back;
    """
    assert words_of(grammar) == ("please", "go", "walk", "don't", "stop", "forward", "back")


def test_a_chunk_waits_until_its_words_have_ended() -> None:
    chunks = Chunks("hello world")
    assert chunks.push(BUFFER, [WordBegan(0, 5, 0.0)]) == []
    assert chunks.push(BUFFER, []) == []
    (first,) = chunks.push(BUFFER, [WordBegan(6, 11, 0.15)])
    assert first.pcm16 == BUFFER
    assert first.words == (Word("hello", 0.0, 0.15),)
    chunks.push(BUFFER, [SoundEnded(0.2)])
    (last,) = chunks.flush(0.24)
    assert last.pcm16 == BUFFER * 3
    assert last.words == (Word("world", 0.15, 0.2),)


def test_later_chunks_are_longer_than_the_first() -> None:
    chunks = Chunks("")
    made = [chunk for _ in range(9) for chunk in chunks.push(BUFFER, [])] + chunks.flush(0.54)
    assert [len(chunk.pcm16) // len(BUFFER) for chunk in made] == [1, 4, 4]
    assert CHUNK_S <= 4 * 0.06


def test_a_number_is_one_word_though_it_is_spoken_in_parts() -> None:
    chunks = Chunks("25 euros")
    events: list[Event] = [WordBegan(0, 2, 0.0), WordBegan(1, 3, 0.3), WordBegan(3, 8, 0.5), SoundEnded(0.9)]
    (chunk,) = chunks.push(BUFFER, events)
    assert [word.text for word in chunk.words] == ["25", "euros"]


def test_what_crosses_the_wire_arrives_as_it_left() -> None:
    words = (Word("naïve", 0.1, 0.5, 0.25), Word("end", 0.5, 0.75))
    heard = Hypothesis("naïve end", words, 0.5, others=(Hypothesis("naive and"),))
    assert unpack_words(pack_words(words)) == words
    assert unpack_hypothesis(pack_hypothesis(heard)) == heard


def test_voices_have_names_of_their_own_and_us_english_comes_first() -> None:
    names = [each.voice.name for each in VOICES]
    assert len(set(names)) == len(names)
    assert VOICES[0].voice.language == "en-US"
    assert "English-US.Klatt-4" in names
