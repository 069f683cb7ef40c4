"""The transcription WebSocket: WS /v1/transcribe on the web port. docs/transcription.md describes it."""
