"""The realtime WebSocket of NVIDIA's Speech NIM, as `riva.client.realtime` speaks it: transcription and synthesis."""
