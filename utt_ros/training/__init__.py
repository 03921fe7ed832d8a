"""Losses, training, metrics and checkpoints; torch."""
