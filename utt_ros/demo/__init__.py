"""The demonstration: simulate or take sessions, run the areas live, train, score; no ROS of its own."""
