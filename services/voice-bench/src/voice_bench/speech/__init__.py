"""The speech server by itself: how well it hears, how many streams it holds, and whether anything breaks it."""
