"""Speech from a neural model in process: Kokoro's layout run by onnxruntime, phonemes from the eSpeak program."""
