"""Which engines run without weights, network or GPU? eSpeak NG speaks, Silero finds speech.

Nothing is imported here: the engines' own processes load this package, and must stay small to be forked often.
"""
