"""The outside, behind the ports: Riva, the language model, the detector. Foreign exceptions stop here."""
