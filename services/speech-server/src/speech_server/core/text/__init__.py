"""How is text written: transcripts, and what a caller sent, inside an error?"""
