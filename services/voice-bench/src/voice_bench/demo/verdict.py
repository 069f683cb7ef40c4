"""Was it a conversation? Everything that should have happened and did not, one sentence each."""

from voice_bench.demo.call_summary import Exchange
from voice_bench.demo.caller import CallResult


def failures(result: CallResult, lines: int) -> list[str]:
    """Empty when every line was heard, answered and the answer spoken, and the barge-in cut the reply before it."""
    summary = result.summary
    found = [sentence for exchange in summary.exchanges for sentence in _of(exchange)]
    if len(summary.exchanges) < lines:
        found.append(f"only {len(summary.exchanges)} of {lines} lines could be said")
    if result.gave_up:
        found.append("the caller hung up because nothing happened any more")
    for before, barging in zip(summary.exchanges, summary.exchanges[1:], strict=False):
        if barging.line.barges_in and (before.answer is None or before.answer.cut_s is None):
            found.append(_not_cut(before, barging))
    return found + [f"the gateway reported: {error.message}" for error in summary.errors if found]


def _of(exchange: Exchange) -> list[str]:
    line = f"line {exchange.number}"
    answer = exchange.answer
    if not exchange.transcript:
        return [f"{line} was not understood: no final transcript came"]
    if answer is None or not answer.text.strip():
        return [f"{line} got no reply"]
    if answer.began_s is None:
        return [f"the reply to {line} was not spoken"]
    return []


def _not_cut(before: Exchange, barging: Exchange) -> str:
    answer = before.answer
    if answer is None or answer.last_s is None or answer.last_s < barging.began_s:
        return (
            f"line {barging.number} could not barge in: the reply before it was over too soon; "
            "let another line barge in (--barge-in) or earlier (--barge-in-after)"
        )
    return f"line {barging.number} barged in, but the reply went on"
