"""Benchmark of track-to-phone association."""
