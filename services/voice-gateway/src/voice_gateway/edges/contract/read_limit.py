"""How fast is one call read? No faster than a call may send: what is not read waits at the caller."""

import asyncio

from voice_gateway.core.events import Failed, Failure
from voice_gateway.edges.held_call import HeldCall


class ReadLimit:
    """Holds the reader of a call's stream back, and the wire's flow control thereby the caller.

    Its pauses wait for nothing to happen: their length is the limit itself, the time until the bucket holds enough
    again. Example: at 250 messages a second with 1000 at once, the 1001st of a burst is taken 4 ms later."""

    def __init__(self, call: HeldCall) -> None:
        self._call = call

    async def admit(self, size_bytes: int) -> None:
        """Return when a message of this size may be taken. The caller hears of it when that is not at once."""
        call, limits = self._call, self._call.limits
        while wait_s := call.rates.messages.take(call.session.age_s, 1 + size_bytes // limits.message_unit_bytes):
            sentence = (
                f"more than {limits.messages_per_s:g} messages a second came, or too large ones (each "
                f"{limits.message_unit_bytes >> 10} KiB count as one); the gateway reads on at that rate, send fewer"
            )
            call.refusals.report(Failed(Failure.OVERLOADED, sentence, True, wait_s))
            await asyncio.sleep(wait_s)
