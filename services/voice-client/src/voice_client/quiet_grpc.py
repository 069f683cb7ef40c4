"""Does gRPC's core write to stderr by itself? Not unless GRPC_VERBOSITY says so: every failure is told by an error.

The core reads the variable when it is imported, so this comes first.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
