"""voicectl: an operator's canary, rollback and status of a voice-workflow release.

Read in this order: `core/release_state` (what is seen), `core/plan` (what is to be done), `executor` (doing it),
`cluster` (where).
"""
