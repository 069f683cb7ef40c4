"""The outside, behind `interfaces`: Riva, the language model, the detector. Foreign exceptions stop here."""
