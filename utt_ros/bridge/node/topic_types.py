"""Message types by name, and the quality of service of recorded topics."""

from importlib import import_module
from typing import Any

from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

from utt_ros.sessions.bag_io import BagTopic

MIN_DEPTH = 50


def load_message_type(name: str) -> Any:
    """The class of a message type such as 'sensor_msgs/msg/Imu'; None when not installed."""
    package, _, kind = name.partition('/msg/')
    try:
        return getattr(import_module(f'{package}.msg'), kind, None)
    except (ImportError, ValueError):
        return None


def message_type_name(kind: type) -> str:
    """Name of a message type in the ROS graph, such as 'sensor_msgs/msg/Imu'."""
    return f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}'


def profile(topic: BagTopic, least_depth: int = MIN_DEPTH) -> QoSProfile:
    """The quality of service to publish a recorded topic with, or to record it with."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=max(topic.depth, least_depth),
        reliability=(QoSReliabilityPolicy.RELIABLE if topic.reliable
                     else QoSReliabilityPolicy.BEST_EFFORT),
        durability=(QoSDurabilityPolicy.TRANSIENT_LOCAL if topic.transient
                    else QoSDurabilityPolicy.VOLATILE))
