"""ROS nodes, one per file: convert, call, publish."""
