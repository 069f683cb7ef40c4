"""One answer: a source of words, phrases, audio, playing; cancelled as one unit."""
