"""Metrics of positions, paths, intervals, synthesized IMU, translations and association."""
