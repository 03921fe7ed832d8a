"""One area: synchronizer, twin, trainer, drivers; recordings in place of sensors; RViz."""

from launch import LaunchDescription

from utt_ros.bridge.launch import launch_description
from utt_ros.orchestration.arguments import AREA_ARGUMENTS, plan_area


def generate_launch_description() -> LaunchDescription:
    """List the arguments with `ros2 launch utt_ros area.launch.py --show-args`."""
    return launch_description(AREA_ARGUMENTS, plan_area)
