"""The `speech-server` command: what must be so before gRPC is loaded, then `app`."""

import os
import sys


def main() -> int:
    """Run the command of this process; gives its exit code."""
    # gRPC would look after every fork of eSpeak NG's workers, and log each time that it can't.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from speech_server.app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
