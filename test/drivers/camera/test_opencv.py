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

"""Files and streams; what a camera on USB does differently needs one."""

import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from utt_ros.drivers.camera.opencv import OpenCVSettings, OpenCVSource, _LiveCapture
from utt_ros.drivers.reader import ReaderSettings, SourceReader
from utt_ros.drivers.types import CameraFrame
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import AreaSettings

pytestmark = pytest.mark.slow

PEER = Path(__file__).parents[1] / 'peers' / 'mjpeg_camera.py'


@pytest.fixture
def start_camera(video: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start_camera(rate, how, port)` runs an HTTP camera; its `port` is where."""
    running: list[subprocess.Popen[str]] = []

    def start(rate: float = 20, how: str = 'well', port: int = 0) -> subprocess.Popen[str]:
        command = [sys.executable, PEER, video, port, rate, how]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        running.append(process)
        process.port = int(process.stdout.readline())
        return process

    yield start
    for each in running:
        each.kill()
        each.wait()
        each.stdout.close()


def source(area: AreaSettings, location: object, **settings: object) -> OpenCVSource:
    return OpenCVSource(OpenCVSettings(location=str(location), **settings), area)


def read_all(opened: OpenCVSource, most: int = 200) -> list[CameraFrame]:
    """Read until a file is over."""
    pictures: list[CameraFrame] = []
    for _ in range(most):
        pictures += opened.read(0.05)
        if 'file' in opened.status():
            break
    return pictures


def test_file_is_read_completely_with_its_own_times(area: AreaSettings, video: Path) -> None:
    before_ns = time.time_ns()
    with source(area, video, real_time=False) as opened:
        pictures = read_all(opened)
    assert len(pictures) == 40
    assert {each.image.shape for each in pictures} == {(360, 640, 3)}
    steps_ns = {b.stamp_ns - a.stamp_ns for a, b in pairwise(pictures)}
    assert max(steps_ns) == pytest.approx(1e8, abs=1e4)
    assert min(steps_ns) == pytest.approx(1e8, abs=1e4)
    assert before_ns <= pictures[0].stamp_ns <= time.time_ns() + 1e8


def test_a_file_at_its_frame_rate_is_never_early(area: AreaSettings, video: Path) -> None:
    with source(area, video) as opened:
        pictures = []
        while len(pictures) < 6:
            got = opened.read(0.02)
            assert all(each.stamp_ns <= time.time_ns() for each in got)
            pictures += got
    assert pictures[-1].stamp_ns - pictures[0].stamp_ns >= 4.9e8


def test_a_slow_reader_of_a_file_misses_images_and_counts_them(
    area: AreaSettings, video: Path,
) -> None:
    opened = source(area, video)
    opened.open()
    stamps = []
    for _ in range(3):
        stamps += [each.stamp_ns for each in opened.read(0.3)]
        end_s = time.monotonic() + 0.35
        while time.monotonic() < end_s:
            pass
    opened.close()
    assert opened.counters['late'] >= 2
    assert stamps == sorted(stamps)


def test_a_file_can_be_repeated_with_increasing_stamps(area: AreaSettings, video: Path) -> None:
    with source(area, video, real_time=False, repeat=True) as opened:
        stamps = [each.stamp_ns for _ in range(90) for each in opened.read(0.1)]
    assert len(stamps) == 90
    assert all(1e4 < b - a < 2.1e8 for a, b in pairwise(stamps))


def test_a_truncated_file_is_read_up_to_its_end(
    area: AreaSettings, video: Path, tmp_path: Path,
) -> None:
    cut = tmp_path / 'cut.avi'
    cut.write_bytes(video.read_bytes()[:video.stat().st_size // 2])
    with source(area, cut, real_time=False) as opened:
        assert 10 <= len(read_all(opened)) <= 22


@pytest.mark.parametrize('content', [b'', b'no video at all', bytes(range(256)) * 100])
def test_a_file_that_is_not_a_video_is_refused(
    area: AreaSettings, tmp_path: Path, content: bytes,
) -> None:
    path = tmp_path / 'garbage.avi'
    path.write_bytes(content)
    with pytest.raises(SourceError, match='not a video'):
        source(area, path).open()


def test_missing_devices_and_files_are_errors_with_the_remedy(area: AreaSettings) -> None:
    with pytest.raises(SourceError, match='no such file'):
        source(area, '/nowhere/walk.avi').open()
    with pytest.raises(SourceError, match='v4l2-ctl'):
        source(area, '/dev/video_of_nobody').open()
    with pytest.raises(SourceError, match='ffplay'):
        source(area, 'http://127.0.0.1:9/stream', timeout=1.0).open()
    with pytest.raises(SettingsError, match='location is empty'):
        OpenCVSettings(location=' ')


def test_stream_of_another_process_is_stamped_as_it_arrives(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
) -> None:
    port = start_camera().port
    pictures: list[CameraFrame] = []
    with source(area, f'http://127.0.0.1:{port}/', latency=0.05) as opened:
        while len(pictures) < 5:
            for each in opened.read(5.0):
                assert 0.05 <= (time.time_ns() - each.stamp_ns) / 1e9 < 2.0
                pictures.append(each)
    assert all(b.stamp_ns > a.stamp_ns for a, b in pairwise(pictures))
    assert pictures[0].image.shape == (360, 640, 3)


def test_the_newest_image_of_a_fast_stream_is_kept(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
) -> None:
    port = start_camera(rate=200).port
    with source(area, f'http://127.0.0.1:{port}/') as opened:
        opened.read(5.0)
        wait_until(lambda: opened.counters['superseded'] > 30)
        asked_ns = time.time_ns()
        (picture,) = opened.read(5.0)
    assert asked_ns - picture.stamp_ns < 5e8


def test_corrupted_images_of_a_stream_do_not_end_it(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
) -> None:
    port = start_camera(rate=40, how='badly').port
    opened = source(area, f'http://127.0.0.1:{port}/', timeout=2.0)
    shown, lost = 0, 0
    end_s = time.monotonic() + 15
    while shown < 30 and time.monotonic() < end_s:
        try:
            opened.open()
            while shown < 30:
                shown += len(opened.read(2.0))
        except SourceError:  # noqa: PERF203
            lost += 1
        finally:
            opened.close()
    assert shown >= 30
    assert lost == 0
    assert opened.counters['undecodable'] > 0


def test_a_decoder_that_fails_is_a_lost_camera_and_not_a_silent_one(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: _LiveCapture) -> None:
        cv2.resize(np.zeros((0, 0, 3), np.uint8), (9, 9))  # as OpenCV fails in C++

    monkeypatch.setattr(_LiveCapture, '_grab', fail)
    with source(area, f'http://127.0.0.1:{start_camera().port}/') as opened, pytest.raises(
            SourceError, match='delivers no more images: OpenCV'):
        wait_until(lambda: opened.read(0.05))


def test_camera_that_falls_silent_counts_as_lost(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
) -> None:
    port = start_camera(rate=50, how='shortly').port
    with source(area, f'http://127.0.0.1:{port}/', timeout=0.6) as opened:
        assert opened.read(5.0)
        with pytest.raises(SourceError, match='delivers no more images'):
            deque(iter(lambda: opened.read(1.0), None), maxlen=0)


def test_a_server_that_accepts_and_never_answers_is_given_up(area: AreaSettings) -> None:
    mute = socket.create_server(('127.0.0.1', 0))
    with mute, pytest.raises(SourceError, match='cannot be opened'):
        source(area, f'http://127.0.0.1:{mute.getsockname()[1]}/', timeout=0.6).open()


def test_a_camera_that_vanishes_and_returns_is_reopened(
    area: AreaSettings, start_camera: Callable[..., subprocess.Popen[str]],
    wait_until: Callable[..., None],
) -> None:
    camera = start_camera()
    reader = SourceReader(source(area, f'http://127.0.0.1:{camera.port}/', timeout=1.0),
                ReaderSettings(queue=4, first_wait=0.1, longest_wait=0.2), lambda: None)
    reader.start()
    wait_until(lambda: reader.status().samples > 3)
    camera.kill()
    camera.wait()
    wait_until(lambda: reader.status().reopened >= 1)
    assert reader.status().error
    before = reader.status().samples
    start_camera(port=camera.port)
    wait_until(lambda: reader.status().samples > before + 3)
    assert reader.status().error == ''
    assert reader.stop()
