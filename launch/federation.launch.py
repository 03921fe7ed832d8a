"""Several areas and their aggregator."""

from launch import LaunchDescription

from utt_ros.bridge.launch import launch_description
from utt_ros.orchestration.arguments import FEDERATION_ARGUMENTS, plan_federation


def generate_launch_description() -> LaunchDescription:
    """List the arguments with `ros2 launch utt_ros federation.launch.py --show-args`."""
    return launch_description(FEDERATION_ARGUMENTS, plan_federation)
