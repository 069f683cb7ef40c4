"""How does a model's answer become what a voice may say? One pure stage, from its pieces to phrases."""
