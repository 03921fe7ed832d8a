# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The camera node over real DDS: a capture of two people, and the topics of another driver."""

import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from utt_ros.msg import Tracks

from utt_ros.bridge.compat import cv_bridge
from utt_ros.bridge.messages.sensors import to_ns, to_time
from utt_ros.bridge.node.qos import IMAGES, RELIABLE, SENSOR
from utt_ros.drivers.camera.camera_calibration import pinhole_calibration
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

CAPTURE = Path(__file__).parents[2] / 'docs/sources/captures/two_people.mp4'
AREA = {'area': 'hall', 'image_width': 640, 'image_height': 360, 'fx': 264.0, 'fy': 264.0,
        'cx': 320.0, 'cy': 180.0, 'camera_height': 2.5, 'camera_pitch': 0.2}


@pytest.fixture
def start_camera(start_node: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """`start_camera(**parameters)` runs the node in /hall; `__` stands for a dot."""

    def start(**parameters: Any) -> Any:
        told = {name.replace('__', '.'): value for name, value in parameters.items()}
        path = tmp_path / 'camera.yaml'
        path.write_text(yaml.safe_dump({'/**': {'ros__parameters': {**AREA, **told}}}))
        return start_node('camera', '--ros-args', '-r', '__ns:=/hall', '--params-file', path)

    return start


def activate(listener: Any, wait_until: Callable[..., None]) -> None:
    """Lead a node that does not start by itself through its states."""
    client = listener.node.create_client(ChangeState, '/hall/camera/change_state')
    wait_until(client.service_is_ready, spin=listener.spin)
    for step in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        answer = client.call_async(ChangeState.Request(transition=Transition(id=step)))
        wait_until(answer.done, spin=listener.spin)
        assert answer.result().success


def frames() -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(CAPTURE))
    shown = []
    while True:
        ok, image = capture.read()
        if not ok:
            return shown
        shown.append(image)


def test_people_of_a_capture_become_tracks_and_images(
    start_camera: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
) -> None:
    tracks = listener.hear(Tracks, '/hall/camera/tracks', SENSOR)
    shown = listener.hear(Image, '/hall/camera/image_raw', IMAGES)
    infos = listener.hear(CameraInfo, '/hall/camera/camera_info', IMAGES)
    health = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    start_camera(autostart=False, opencv__location=str(CAPTURE), opencv__real_time=False,
                 detection__score=0.5)
    wait_until(lambda: listener.node.count_publishers('/hall/camera/tracks'), spin=listener.spin)
    begin_ns = time.time_ns()
    activate(listener, wait_until)
    wait_until(lambda: len(tracks) == 40 and shown and infos and health, timeout_sec=40.0,
               spin=listener.spin)
    both = [each for each in tracks if len(each.tracks) == 2]
    assert len(both) > 10
    assert {each.header.frame_id for each in tracks} == {'hall/camera_optical'}
    stamps = [to_ns(each.header.stamp) for each in tracks]
    assert np.diff(stamps) == pytest.approx(1e8, abs=1e4)
    assert begin_ns < stamps[0] < time.time_ns()
    paths: dict[str, list[float]] = {}
    for each in tracks:
        for track in each.tracks:
            paths.setdefault(track.track_id, []).append(track.center_x)
    first, second, *others = sorted(paths.values(), key=len, reverse=True)
    assert len(second) > 15
    assert sum(map(len, others)) < 6  # boxes that HOG draws twice
    walked = sorted((path[-1] - path[0], np.abs(np.diff(path)).max()) for path in (first, second))
    assert walked[0][0] < -200
    assert walked[1][0] > 200  # one to the left, one to the right, past each other
    assert max(step for _, step in walked) < 150
    model = CameraModel(AreaSettings(**AREA))
    for track in both[-1].tracks:
        feet = track.center_y + track.height / 2
        assert feet == pytest.approx(345, abs=15) or feet == pytest.approx(300, abs=15)
        box = [track.center_x, track.center_y, np.nan, track.width, track.height]
        assert track.depth == pytest.approx(float(model.floor_depth(box)), nan_ok=True)
        assert 0.5 <= track.confidence <= 1
    image = cv_bridge.image_from_message(cv_bridge.load_cv_bridge(), shown[-1])
    assert image.shape == (360, 640, 3)
    assert shown[-1].header.frame_id == 'hall/camera_optical'
    assert to_ns(shown[-1].header.stamp) > begin_ns
    assert (infos[-1].width, infos[-1].height, infos[-1].k[0]) == (640, 360, 264.0)
    (status,) = health[-1].status
    values = {pair.key: pair.value for pair in status.values}
    assert status.name == 'hall: camera'
    assert values['source'] == 'opencv'
    assert float(values['detection_ms']) > 0


@pytest.mark.parametrize('compressed', [False, True])
def test_topics_of_another_driver_become_tracks(
    start_camera: Callable[..., Any], listener: Any, wait_until: Callable[..., None],
    compressed: bool,
) -> None:
    node = listener.node
    kind = CompressedImage if compressed else Image
    picture = node.create_publisher(kind, '/hall/front/image', IMAGES)
    depth = node.create_publisher(Image, '/hall/front/depth', IMAGES)
    info = node.create_publisher(CameraInfo, '/hall/front/info', IMAGES)
    tracks = listener.hear(Tracks, '/hall/camera/tracks', SENSOR)
    start_camera(
        source='topics', topics__image='front/image', topics__depth='front/depth',
        topics__camera_info='front/info', topics__compressed=compressed, detection__score=0.5,
        tracking__confirm=1)
    shown, step, sent = frames(), 0, {}
    far = np.full((360, 640), 4250, np.uint16)
    message = cv_bridge.camera_info_message(pinhole_calibration(AreaSettings(**AREA)))

    def send() -> None:
        nonlocal step
        listener.spin()
        stamp_ns = time.time_ns()
        header = Header(stamp=to_time(stamp_ns), frame_id='elsewhere')
        image = shown[step % 10]
        step += 1
        if compressed:
            data = cv2.imencode('.jpg', image)[1].tobytes()
            picture.publish(CompressedImage(header=header, format='jpeg', data=array('B', data)))
        else:
            colours = cv_bridge.CvBridge().cv2_to_imgmsg(image[..., ::-1], 'rgb8')
            colours.header = header
            picture.publish(colours)
        if step % 7 == 0:  # what nobody can read must not disturb the others
            picture.publish(kind(header=header))
        sent[stamp_ns] = True
        late = Header(stamp=to_time(stamp_ns + 5_000_000))
        plane = cv_bridge.CvBridge().cv2_to_imgmsg(far, '16UC1')
        plane.header = message.header = late
        depth.publish(plane)
        info.publish(message)

    wait_until(lambda: [each for each in tracks if len(each.tracks) == 2], timeout_sec=40.0,
               spin=send)
    both = [each for each in tracks if len(each.tracks) == 2][-1]
    assert to_ns(both.header.stamp) in sent
    assert both.header.frame_id == 'hall/camera_optical'
    assert [track.depth for track in both.tracks] == pytest.approx([4.25, 4.25])
    assert node.count_publishers('/hall/camera/image_raw') == 0


@pytest.mark.parametrize(('parameters', 'says'), [
    ({'source': 1}, "'source' to '1' of type 'INTEGER', expecting type 'STRING'"),
    ({'calibration': 1}, "'calibration' to '1' of type 'INTEGER', expecting"),
    ({'source': 'magic'},
     "camera: source is 'magic': it must be one of detections, opencv, topics, zed"),
    ({'detection__detector': 'onnx', 'detection__model': '/no/such.onnx'}, 'no such file'),
    ({'detection__detector': 'source'}, 'opencv detects no people'),
    ({'source': 'detections', 'detections__type': 'no_msgs/msg/Boxes'}, 'must be one of'),
    ({'calibration': '/no/such.yaml'}, 'no/such.yaml'),
    ({'calibration': 'file:///no/such.yaml'}, "'/no/such.yaml'"),
    ({'opencv__latency': -1.0}, 'latency')])
def test_wrong_settings_end_the_node_with_the_reason(
    start_camera: Callable[..., Any], parameters: dict[str, Any], says: str,
) -> None:
    camera = start_camera(**parameters)
    camera.expect(2)
    assert camera.wait() == 2
    assert says in camera.said


def test_images_are_converted_only_for_subscribers(
    ros: int, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None],
) -> None:
    import rclpy

    from utt_ros.drivers.types import CameraFrame, Detections
    from utt_ros.nodes.camera_node import CameraNode

    made: list[Any] = []
    original = cv_bridge.image_message
    monkeypatch.setattr(cv_bridge, 'image_message',
                        lambda *words: made.append(words) or original(*words))
    rclpy.shutdown()
    rclpy.init(args=['--ros-args', '-p', 'autostart:=false'], domain_id=ros)
    node = CameraNode()
    sample = CameraFrame(time.time_ns(), np.zeros((720, 1280, 3), np.uint8),
                     people=Detections(np.zeros((0, 5), np.float32), np.zeros(0, np.float32), ()))
    node.publish([sample])
    assert not made
    other = rclpy.create_node('other', use_global_arguments=False)
    other.create_subscription(Image, 'camera/image_raw', lambda _: None, IMAGES)
    wait_until(lambda: node.count_subscribers('camera/image_raw'))
    wait_until(lambda: node.publish([sample]) or made)
    assert len(made) == 1
    node.destroy_node()
    other.destroy_node()


def test_a_source_registered_by_a_call_can_be_chosen(
    ros: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    import rclpy

    from utt_ros.drivers.camera import SOURCES, opencv
    from utt_ros.nodes.camera_node import CameraNode

    monkeypatch.setattr(SOURCES, '_values', dict(SOURCES._values))
    SOURCES.register('lidar', opencv.ENTRY)
    rclpy.shutdown()
    rclpy.init(args=['--ros-args', '-p', 'autostart:=false', '-p', 'source:=lidar'], domain_id=ros)
    node = CameraNode()
    assert node.chosen == 'lidar'
    node.destroy_node()
