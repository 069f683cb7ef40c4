"""Streaming models (cache-aware FastConformer transducers), ONNX: each frame heard once, all callers together."""
