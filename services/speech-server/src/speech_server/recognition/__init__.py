"""Audio in, utterances out, whatever wire it came on: shared by the Riva services and the OpenAI endpoints."""
