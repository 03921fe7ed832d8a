"""Which nodes run with which parameters, and how to start them as processes; no ROS, no torch."""
