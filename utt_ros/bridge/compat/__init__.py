"""Substitutes for ROS packages that have no wheels."""
