"""Who holds what the screen shows? One place: the loop changes it, and whoever draws reads a frozen state."""

from collections.abc import Callable
from dataclasses import replace

from voice_client.live.screen_state import AudioState, ScreenState

Changed = Callable[[ScreenState, ScreenState], None]


class Screen:
    """The newest state. `changed` is called in the loop with the state before and after."""

    def __init__(self, state: ScreenState, changed: Changed = lambda before, after: None) -> None:
        self.state = state
        self._changed = changed

    def show(self, state: ScreenState) -> None:
        """This is what there is to see now."""
        before, self.state = self.state, state
        if before != state:
            self._changed(before, state)

    def show_audio(self, **changes: object) -> None:
        """Fields of AudioState that are otherwise now."""
        audio: AudioState = replace(self.state.audio, **changes)  # type: ignore[arg-type]  # fields through **
        self.show(replace(self.state, audio=audio))
