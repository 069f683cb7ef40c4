"""What does every server do, whatever it serves? Listen, prove who it is, say how it is, log, and end in order."""
