"""voicectl: an operator's canary, rollback and status of a voice-workflow release.

Read in this order: `core/observed` (what is seen), `core/plan` (what is to be done), `perform` (doing it), `cluster`
(where).
"""
