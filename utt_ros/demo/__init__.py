"""The demonstration: areas live from sessions, trained together, then scored; no ROS."""
