"""The Kubernetes API server: the only part that knows the `kubernetes` package."""
