"""The cluster tests: `make e2e`, against any KUBECONFIG."""
