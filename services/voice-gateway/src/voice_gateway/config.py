"""What can an operator set? Every tunable, read from the environment at the start; errors name the variable.

The settings of a subject stand in a module of their own. Those marked LIVE may also stand in GATEWAY_LIVE_FILE, which
wins and is looked at all the time (`config_live`).
"""

from voice_gateway.config_listening import ListeningSettings
from voice_gateway.config_model import ModelSettings
from voice_gateway.config_speech import SpeechSettings
from voice_gateway.config_turns import TurnSettings


class Settings(TurnSettings, ModelSettings, SpeechSettings, ListeningSettings):
    """The gateway's settings; a name in capitals is the environment variable. In tables those of the last base stand
    first."""
