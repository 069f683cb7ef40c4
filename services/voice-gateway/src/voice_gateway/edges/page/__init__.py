"""The web page: a microphone, a speaker and a transcript for a browser, served by the gateway itself."""
