"""What every model that runs as ONNX in this process needs."""
