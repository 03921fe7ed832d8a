"""Graph of nodes with their parameters, and processes that run them; no ROS, no torch."""
