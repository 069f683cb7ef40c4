"""Is a text's length in tokens estimated well enough, quickly enough, and corrected by what the server counts?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.tokens import Scale, beginning, end, estimate

SAMPLES = {
    "English": (
        "I'd like to book a table for two tomorrow evening, please. Sure, what time would suit you? Around half past "
        "seven, and could we sit by the window? I'm afraid the window tables are taken, but there's a quiet one near "
        "the garden. My name is Rosa Martinez and my phone number ends in 4567. Thank you, Rosa, you're all set for "
        "tomorrow at seven thirty.",
        84,
    ),
    "German": (
        "Guten Tag, ich möchte gern einen Termin in der Werkstatt vereinbaren, weil mein Auto seit gestern komische "
        "Geräusche macht. Das tut mir leid. Wann würde es Ihnen denn passen? Am liebsten am Donnerstagvormittag, wenn "
        "das möglich ist. Donnerstag um neun Uhr ist noch frei. Ich habe Sie eingetragen, Frau Schneider. Bitte "
        "bringen Sie den Fahrzeugschein mit.",
        97,
    ),
    "Spanish": (
        "Buenos días, quería cambiar la dirección de entrega de mi pedido, porque la semana que viene me mudo. Claro "
        "que sí, dígame el número de pedido, por favor. Creo que termina en ochenta y siete. Perfecto, ya lo veo. "
        "¿Cuál es la nueva dirección? Calle Mayor, número doce, tercero izquierda, en Valencia. Muy bien, ya está "
        "cambiada.",
        94,
    ),
    "Hindi": (
        "नमस्ते, मुझे अपने खाते के बारे में कुछ पूछना है। जी हाँ, बताइए, मैं आपकी क्या मदद कर सकता हूँ? पिछले महीने का बिल "
        "बहुत ज़्यादा आया है, क्या आप देख सकते हैं? ज़रूर, कृपया अपना ग्राहक नंबर बताइए। मेरा नंबर चार सात दो एक है। "
        "धन्यवाद, आपका बिल दो दिन में ठीक हो जाएगा।",
        138,
    ),
    "Chinese": (
        "你好,我想预订明天晚上两个人的桌子。好的,请问几点比较方便?大概七点半,可以坐在窗边吗?窗边的位置已经订完了,不过花园旁边还有一张安静的"
        "桌子。我叫王丽,电话号码最后四位是四五六七。",
        77,
    ),
    "Russian": (
        "Здравствуйте, я хотела бы перенести свою запись к врачу на следующую неделю. Конечно, какой день вам удобен? "
        "Лучше всего в среду утром, если есть свободное время. В среду есть время в девять тридцать. Отлично, "
        "запишите меня, пожалуйста.",
        74,
    ),
    "Arabic": (
        "مرحبا، أريد أن أسأل عن موعد وصول الطلب الذي قدمته الأسبوع الماضي. بالتأكيد، هل يمكنك أن تعطيني رقم الطلب؟ رقم "
        "الطلب ينتهي بسبعة وثمانين. شكرا لك، سيصل الطلب غدا صباحا.",
        70,
    ),
}
"""Text, and what the tokenizer of Llama 3 makes of it."""

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)


@pytest.mark.parametrize("language", SAMPLES)
def test_an_estimate_is_never_much_too_short_and_at_most_a_quarter_too_long(language: str) -> None:
    text, tokens = SAMPLES[language]
    assert 0.98 <= estimate(text) / tokens <= 1.25


def test_nothing_takes_nothing() -> None:
    assert estimate("") == 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts, texts)
def test_more_text_takes_no_fewer_tokens(one: str, other: str) -> None:
    assert max(estimate(one), estimate(other)) <= estimate(one + other) <= estimate(one) + estimate(other)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(texts, st.integers(0, 60))
def test_a_text_is_cut_to_its_tokens_at_either_end(text: str, tokens: int) -> None:
    for cut, kept in ((beginning(text, tokens), text.startswith), (end(text, tokens), text.endswith)):
        assert estimate(cut) <= tokens
        assert cut == text or (kept(cut.strip("…")) or "…" in text)
        assert (cut == text) == (estimate(text) <= tokens)


def test_a_cut_text_has_whole_words() -> None:
    assert beginning("one two three four", 4) == "one two…"
    assert end("one two three four", 4) == "…three four"


def test_more_than_estimated_holds_at_once_and_less_only_slowly() -> None:
    assert Scale().corrected(100, 150) == Scale(1.5)
    assert Scale(1.5).corrected(100, 100).factor == pytest.approx(1.4)
    assert Scale(1.5).tokens(100) == 150
    assert Scale(1.5).within(150) == 100


@pytest.mark.parametrize(("counted", "factor"), [(0, 1.0), (-5, 1.0), (1, 0.94), (10**9, 4.0)])
def test_a_count_that_cannot_be_changes_little(counted: int, factor: float) -> None:
    assert Scale().corrected(100, counted).factor == pytest.approx(factor)
    assert Scale().corrected(0, counted) == Scale()
