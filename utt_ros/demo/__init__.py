"""The demonstration `utt demo`: replayed or live areas, scored against ground truth."""
