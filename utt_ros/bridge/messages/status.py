"""A twin's state as a message."""

from collections.abc import Collection

import numpy as np
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.msg import TwinStatus
from utt_ros.twin.engine import TickPredictions
from utt_ros.twin.health import SensorHealth


def status_to_message(
    stamp: Time, area: str, watch: SensorHealth, newest: TickPredictions | None, *,
    model_round: int | None, idle_s: float, predictions: int, times_ms: Collection[float],
) -> TwinStatus:
    """`newest` predictions, `model_round` of the graph in use; None when there is none yet.

    `idle_s` is how long ago the last tick arrived; `times_ms` is what the last ticks took.
    """
    message = TwinStatus(
        header=Header(stamp=stamp, frame_id=area), area=area, round=model_round or 0,
        model_ready=model_round is not None, modalities=list(watch.modalities),
        missing=watch.missing(), ticks=watch.ticks, ticks_lost=watch.lost,
        predictions=predictions, note=watch.summary(idle_s, model_round is not None))
    if newest is not None:
        message.subjects, message.sources = list(newest.subjects), list(newest.sources)
        largest = np.linalg.eigvalsh(newest.covariance)[:, -1]
        message.position_std = np.sqrt(np.maximum(largest, 0)).tolist()
    if times_ms:
        message.compute_p50, message.compute_p99 = np.percentile(list(times_ms), [50, 99]).tolist()
    return message
