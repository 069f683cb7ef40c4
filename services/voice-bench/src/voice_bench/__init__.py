"""The whole stack on one machine: the demo and the measurements."""

import os

# Servers are started while gRPC is at work here, and its handlers for fork() crash the child before it becomes one.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
