"""Which requests go wrong, and how?"""

from dataclasses import dataclass

from mini_llm.settings import Fault


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """After `after` good chat requests, `count` (None = all) go wrong; then all is well again."""

    fault: Fault = Fault.NONE
    after: int = 0
    count: int | None = None

    def fault_of(self, request_number: int) -> Fault:
        """The fault of the 1st, 2nd, ... chat request."""
        begun = request_number > self.after
        healed = self.count is not None and request_number > self.after + self.count
        return self.fault if begun and not healed else Fault.NONE


def tokens_before_fault(fault: Fault, token_count: int) -> int:
    """How many of the answer's tokens get through: half of them, rounded up, when it breaks midway."""
    midway = fault in (Fault.STALL_MIDWAY, Fault.ERROR_MIDWAY, Fault.CLOSE_MIDWAY)
    if fault is Fault.SILENT:
        return 0
    return (token_count + 1) // 2 if midway else token_count
