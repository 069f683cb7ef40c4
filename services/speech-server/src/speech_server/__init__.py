"""A Riva-compatible speech server: recognition and synthesis over gRPC."""
