"""NVIDIA's Parakeet models, as ONNX files in this process: offline models made to stream, batched over all callers."""
