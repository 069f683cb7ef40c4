"""What is decided about synthesis, without a clock, a task or a socket?"""
