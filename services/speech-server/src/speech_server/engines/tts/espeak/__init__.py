"""eSpeak NG: small voices without weights, in a program of its own, one process for each text."""
