"""Sensor sources: cameras, fine time measurements and IMUs of phones; no ROS, no torch."""
