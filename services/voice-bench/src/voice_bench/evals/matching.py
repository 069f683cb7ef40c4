"""Is this moment the event that a scenario means?"""

from voice_bench.evals.moments import Moment, holds_words, same_words
from voice_bench.evals.scenario import EventPattern


def fits(moment: Moment, pattern: EventPattern) -> bool:
    """Whether all that is said of the event is true of the moment."""
    return (
        moment.event == pattern.event
        and (pattern.text is None or same_words(moment.text, pattern.text))
        and (pattern.contains is None or holds_words(moment.text, pattern.contains))
        and (pattern.heard is None or same_words(moment.heard, pattern.heard))
        and (pattern.reply is None or moment.reply == pattern.reply)
        and (pattern.turn is None or moment.turn == pattern.turn)
        and (pattern.reason is None or moment.reason == pattern.reason)
    )
