"""How do the files of models get here, and stay whole?"""
