"""How does a person hold a call live: with a microphone, a loudspeaker and keys?

`screen_state` is what is seen, `live_caller` holds the call; what they need beside stands in a module of its own each.
"""
