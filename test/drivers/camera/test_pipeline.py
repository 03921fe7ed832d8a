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

"""Pictures in, people with names and distances out."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.camera.detection import DetectionSettings
from utt_ros.drivers.camera.opencv import OpenCVSettings, OpenCVSource
from utt_ros.drivers.camera.pipeline import MAX_PEOPLE, DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame, Detections
from utt_ros.errors import SourceError
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

pytestmark = pytest.mark.slow

STAMP_NS = 1_700_000_000_000_000_000


class Given(Source[CameraFrame]):
    """Pictures that a test made."""

    def __init__(self, *pictures: CameraFrame) -> None:
        super().__init__()
        self._pictures = list(pictures)

    def open(self) -> None:
        pass

    def read(self, timeout_s: float) -> Sequence[CameraFrame]:
        return [self._pictures.pop(0)]

    def close(self) -> None:
        pass


def watched(area: AreaSettings, *pictures: CameraFrame) -> DetectionPipeline:
    return DetectionPipeline(Given(*pictures), area, DetectionSettings(detector='source'),
                   TrackingSettings(confirm=1))


def picture(people: Detections | None, shape: tuple[int, ...] = (360, 640, 3), **others: object,
            ) -> CameraFrame:
    return CameraFrame(STAMP_NS, np.zeros(shape, np.uint8), people=people, **others)


def people(*boxes: list[float], confidence: float = 0.9) -> Detections:
    table = np.float32(boxes).reshape(-1, 5)
    return Detections(table, np.full(len(table), confidence, np.float32))


def follow(video: Path, area: AreaSettings, detection: DetectionSettings) -> list[CameraFrame]:
    source = OpenCVSource(OpenCVSettings(location=str(video), real_time=False), area)
    shown = []
    with DetectionPipeline(source, area, detection, TrackingSettings()) as opened:
        while 'file' not in opened.status():
            shown += opened.read(0.05)
    return shown


@pytest.mark.parametrize('kind', ['hog', 'onnx'])
def test_two_people_of_a_video_keep_their_track_ids_while_passing_each_other(
    kind: str, video: Path, area: AreaSettings, make_network: Callable[..., Path],
    feet: Callable[..., tuple[tuple[float, float], ...]],
) -> None:
    network = str(make_network()) if kind == 'onnx' else ''
    shown = follow(video, area, DetectionSettings(
        detector=kind, model=network, input_size=320, score=0.5, overlap=0.2))
    assert len(shown) == 40
    names: dict[int, list[str]] = {0: [], 1: []}
    for index, each in enumerate(shown):
        if abs(feet(index)[0][0] - feet(index)[1][0]) < 90:
            continue  # one hides the other
        for name, box in zip(each.people.track_ids, each.people.boxes, strict=True):
            distances = [np.hypot(box[0] - x, box[1] + 80 - y) for x, y in feet(index)]
            assert min(distances) < 45
            names[int(np.argmin(distances))].append(name)
    assert [len(set(each)) for each in names.values()] == [1, 1]
    assert set(names[0]) != set(names[1])
    assert min(len(each) for each in names.values()) > 18


def test_without_a_depth_image_the_feet_give_the_depth(area: AreaSettings) -> None:
    box = CameraModel(area).project([[5.0, 0.5]])[0].tolist()
    unknown = [*box[:2], float('nan'), *box[3:]]
    opened = watched(area, picture(people(unknown)))
    opened.open()
    found = opened.read(1.0)[0].people
    assert found.boxes[0] == pytest.approx(box, rel=1e-3)


def test_with_a_depth_image_its_pixels_give_the_depth(area: AreaSettings) -> None:
    depth = np.full((360, 640), 3.5, np.float32)
    box = [320.0, 200.0, float('nan'), 60.0, 150.0]
    opened = watched(area, picture(people(box), depth=depth))
    opened.open()
    assert opened.read(1.0)[0].people.boxes[0, 2] == pytest.approx(3.5)


def test_a_depth_from_the_camera_is_kept(area: AreaSettings) -> None:
    opened = watched(area, picture(people([320, 200, 6.25, 60, 150])))
    opened.open()
    assert opened.read(1.0)[0].people.boxes[0, 2] == 6.25


def test_invalid_boxes_are_counted_and_left_out(area: AreaSettings) -> None:
    nan, inf = float('nan'), float('inf')
    bad = people([nan, 200, 3, 60, 150], [320, inf, 3, 60, 150], [320, 200, 3, -60, 150],
                 [320, 200, 3, 60, 0], [1e9, 200, 3, 60, 150], [320, 200, 3, 60, 150])
    opened = watched(area, picture(bad), picture(people([320, 200, 3, 60, 150], confidence=nan)))
    opened.open()
    assert len(opened.read(1.0)[0].people.boxes) == 1
    assert len(opened.read(1.0)[0].people.boxes) == 0
    assert opened.counters['bad_box'] == 6


def test_a_crowd_is_limited_to_the_most_confident(
    area: AreaSettings, rng: np.random.Generator,
) -> None:
    boxes = np.concatenate([rng.uniform(0, 600, (1000, 2)), np.full((1000, 1), 3.0),
                            np.full((1000, 2), 50.0)], axis=1)
    crowd = Detections(boxes.astype(np.float32), rng.random(1000).astype(np.float32),
                   tuple(map(str, range(1000))))
    opened = watched(area, picture(crowd))
    opened.open()
    found = opened.read(1.0)[0].people
    assert len(found.boxes) == MAX_PEOPLE
    assert found.confidence.min() >= np.sort(crowd.confidence)[-MAX_PEOPLE]


def test_an_image_without_people_is_delivered(area: AreaSettings) -> None:
    opened = watched(area, picture(people()), picture(None))
    opened.open()
    assert opened.read(1.0)[0].people.boxes.shape == (0, 5)
    assert opened.read(1.0)[0].people is None


def test_a_camera_of_another_size_is_refused_and_single_images_of_it_are_counted(
    area: AreaSettings,
) -> None:
    small = picture(people(), (240, 320, 3))
    opened = watched(area, small)
    opened.open()
    with pytest.raises(SourceError, match='320 x 240 px, the area 640 x 360'):
        opened.read(1.0)
    opened = watched(area, picture(people()), small, picture(people()))
    opened.open()
    assert [len(opened.read(1.0)) for _ in range(3)] == [1, 0, 1]
    assert opened.counters['wrong_size'] == 1
    assert ' px where the area has 640 x 360' in str(opened.status()['trouble'])
