"""The qualities of service of the package, explicit since a mismatch fails silently."""

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)

SENSOR = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=200,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""Streams of measurements: a late one is worth less than the next one."""

IMAGES = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=5,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""As SENSOR, for messages of megabytes: 200 that wait would fill the memory."""

RELIABLE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=50,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.VOLATILE,
)
"""Streams in which every message counts."""

STATE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""The newest value of something, also for those who come late."""

COLLECTED = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=200,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Reading side of a state that many publish with STATE: the newest of each, also of before."""
