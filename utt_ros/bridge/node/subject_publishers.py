"""Publishers of a twin's subjects, who come and go."""

from dataclasses import dataclass

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Imu

from utt_ros.bridge.messages.predictions import imus, paths, positions
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.twin.engine import TickPositions, TickPredictions

KEEP_NS = 10_000_000_000  # the publishers of somebody who left live on for that long


@dataclass(slots=True)
class _Subject:
    position: Publisher
    trajectory: Publisher
    imu: Publisher
    seen_ns: int


class SubjectPublishers:
    """Publishes predictions below twins/<subject>/."""

    def __init__(self, node: Node, area: str) -> None:
        self._node, self._area = node, area
        self._subjects: dict[str, _Subject] = {}
        self.published = 0  # subjects times ticks

    def publish_positions(self, places: TickPositions) -> None:
        """The positions of a tick, which are known first."""
        messages = positions(self._area, places.position, places.covariance, places.stamp_ns)
        for name, data in zip(places.subjects, messages, strict=True):
            _send(self._subject(name, places.stamp_ns).position, data)

    def publish(self, predictions: TickPredictions) -> None:
        """The rest of a tick: all trajectories, then the IMUs."""
        subjects = [self._subject(name, predictions.stamp_ns) for name in predictions.subjects]
        ahead = paths(
            self._area, predictions.trajectory, predictions.stamp_ns,
            predictions.trajectory_stamps_ns)
        for subject, data in zip(subjects, ahead, strict=True):
            _send(subject.trajectory, data)
        if predictions.imu is not None:
            felt = imus(predictions.subjects, predictions.imu, predictions.imu_stamps_ns)
            for subject, rows in zip(subjects, felt, strict=True):
                for data in rows:
                    _send(subject.imu, data)
        self.published += len(subjects)

    def forget(self, now_ns: int) -> list[str]:
        """Destroy the publishers of those who left long ago, also before a jump back in time."""
        gone = [name for name, subject in self._subjects.items()
                if not 0 <= now_ns - subject.seen_ns <= KEEP_NS]
        for name in gone:
            self._destroy(self._subjects.pop(name))
        return gone

    def close(self) -> None:
        """Destroy all publishers."""
        for subject in self._subjects.values():
            self._destroy(subject)
        self._subjects.clear()

    def _subject(self, name: str, now_ns: int) -> _Subject:
        subject = self._subjects.get(name)
        if subject is None:
            create, root = self._node.create_publisher, f'twins/{name}'
            subject = self._subjects[name] = _Subject(
                create(PoseWithCovarianceStamped, f'{root}/position', RELIABLE),
                create(Path, f'{root}/trajectory', RELIABLE),
                create(Imu, f'{root}/imu', RELIABLE), now_ns)
        subject.seen_ns = now_ns
        return subject

    def _destroy(self, subject: _Subject) -> None:
        for publisher in (subject.position, subject.trajectory, subject.imu):
            self._node.destroy_publisher(publisher)


def _send(publisher: Publisher, data: bytes) -> None:
    """As `publisher.publish(data)` does, without the checks that take a third of its time."""
    publisher.handle.publish_raw(data)
