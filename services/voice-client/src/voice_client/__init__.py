"""The client library of the voice gateway and the `voice` command."""
