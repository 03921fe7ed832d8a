"""Sensors that people own, as sources of samples; no ROS, no torch."""
