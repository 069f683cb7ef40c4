"""What goes over the wire: the messages and services a Riva client knows, and the Python made from them."""
