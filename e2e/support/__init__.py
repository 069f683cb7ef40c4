"""What the cluster tests share: the cluster, the release, callers in pods, figures."""
