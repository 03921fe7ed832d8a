"""Baselines: tuned methods of others for positions, association and reconstruction."""
