"""Recorded sessions: bags, importers and the simulator; no ROS, no torch."""
