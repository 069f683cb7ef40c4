"""The weights of every engine as an operator meets them: what is wanted, what is here, and the `models` verb."""
