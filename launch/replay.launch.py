"""Recorded sessions as topics, with or without the nodes of their areas."""

from launch import LaunchDescription

from utt_ros.bridge.launch import launch_description
from utt_ros.orchestration.arguments import REPLAY_ARGUMENTS, plan_replay


def generate_launch_description() -> LaunchDescription:
    """List the arguments with `ros2 launch utt_ros replay.launch.py --show-args`."""
    return launch_description(REPLAY_ARGUMENTS, plan_replay)
