"""Which points end nothing? Those of abbreviations, initials, and ordinals before a month.

The words are picked from Unicode's CLDR (sentence break suppressions) and the lists of pySBD (MIT), without those that
are ordinary words of their language at the end of a sentence ("me", "no", "may"). A word too many only makes a phrase
longer; one too few breaks a name in two.
"""

import re

from voice_gateway.core.language import Language

_NUMBERED = """
no nos nr núm num n nº art arts fig figs p pp pg pag pág págs vol ch chap cap kap sec sect par abs apt rm ext tel tél
str ver v eq ed jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun approx ca
circa est min max avg al
стр рис тел п гл ст д кв
"""
_TITLES = """
mr mrs ms mx dr drs prof profs st ste sr sra srta sres srs jr rev hon gen col capt lt sgt maj cpl adm gov pres rep supt
messrs mme mmes mlle mm dra dña ing lic arq avv dott sigra sigg geom ilmo exmo exma hr fr frl dipl dhr mevr mw mt ft
bros insp cmdr
"""
_OTHERS = """
vs etc viz approx inc ltd corp dept univ assn bzw usw ggf vgl evtl bspw zzgl inkl exkl sog jh jhdt mio mrd tsd blvd ave
avda ctra pza urb esq hno hnos ud uds vd vds aprox entspr bd bijv enz dvs osv ssk zgn tzn tzv ltda cia godz wyd ul mgr
inż atd apod tj čj esim jne yms sn şti örn vb bkz hz ee uu
cf profa sto sta gral cía c.-à-d
डॉ श्री प्रो कु सं रु पं मो इं मि एड स्व अ प क्र ई श्रीमती ডাঃ ডা মোঃ டாக்டர் திரு ડૉ ਡਾ د أ م
г гг др пр ул пер пл обл тыс млн млрд руб коп см т тт проф акад доц д-р г-н г-жа κ κος δρ
"""
_BEFORE_NUMBER = frozenset(_NUMBERED.split())
"""Abbreviations where a number follows, words where none does."""
_ANYWHERE = frozenset(f"{_TITLES}{_OTHERS}".split())
"""No ordinary words at the end of a sentence, whatever the language: replies need not be in the call's."""
_CAPITALISED = frozenset(["Av", "Dir", "Ir", "Mag", "Rag", "Sen", "Sig"])
"""Words but for their capital letter."""
_BEFORE_ROMAN = frozenset(["vol", "ch", "chap", "cap", "kap", "fig", "sec", "sect", "art", "par"])
_ORDINALS_WITH_POINT = ("de", "da", "nb", "nn", "no", "fi", "cs", "sk", "sl", "hr", "sr", "hu", "et", "lv", "is", "tr")
_GERMAN = """
januar jänner jan februar feber feb märz april apr mai juni jun juli jul august aug september sept oktober okt november
nov dezember dez jahrhundert jh
"""
_AFTER_GERMAN_ORDINAL = tuple(_GERMAN.split())
"""Other languages that write "3." write months small, and a small letter after a point says enough."""
_LETTERS_AND_POINTS = re.compile(
    r"(?:(?:[^\W\d_][\u0900-\u0903\u093a-\u094f]*){1,2}\.)+(?:[^\W\d_][\u0900-\u0903\u093a-\u094f]*){1,2}"
)
_BEFORE_WORD = "([{\"'“”„«‹‘’*_~`>¿¡"


def ends_sentence(before: str, after: str, language: Language) -> bool | None:
    """Whether the point (one, or an ellipsis) at the end of `before` does, where `after`, which begins after a space,
    follows. None: only more of `after` can tell."""
    if after[0].islower():
        return False
    words = before.rsplit(None, 1)
    word = words[-1].rstrip("\"'”’)]»*_~`").lstrip(_BEFORE_WORD)
    if word.endswith(("..", "…")):
        return True
    if word[:-1] in _CAPITALISED:
        return False
    word = word[:-1].casefold()
    if word.isdigit():
        return _number_ends(word, after, language.tag.casefold(), alone=len(words) == 1)
    if is_abbreviation(word, language):
        return False
    if word in _BEFORE_ROMAN and after[0] in "IVX":
        return None if len(after) == 1 else after[1].islower()
    return not (after[0].isdigit() and word in _BEFORE_NUMBER)


def is_abbreviation(word: str, language: Language) -> bool:
    """Whether `word` (small letters, without its last point) is one, whatever follows."""
    if len(word) == 1 and word.upper() != word:
        return True
    return (
        word in _ANYWHERE
        or word in language.abbreviations
        or _LETTERS_AND_POINTS.fullmatch(word) is not None
        or word.rpartition("-")[2] in ("dr", "ing", "c", "chr")
        or word in ("ph.d", "n.chr", "v.chr")
    )


def is_month(after: str) -> bool | None:
    """Whether `after` begins with a German month; None: it may become one."""
    match = re.match(r"[^\W\d_]+", after)
    word = match[0].casefold() if match else ""
    if match and match.end() < len(after):
        return word in _AFTER_GERMAN_ORDINAL
    return None if word and any(month.startswith(word) for month in _AFTER_GERMAN_ORDINAL) else False


def _number_ends(digits: str, after: str, language: str, *, alone: bool) -> bool | None:
    if len(digits) > 2:
        return True
    if alone or language.split("-")[0] in _ORDINALS_WITH_POINT:
        return False  # the number of a list, or an ordinal
    month = is_month(after)
    return None if month is None else not month
