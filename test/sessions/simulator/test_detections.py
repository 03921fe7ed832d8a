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

import numpy as np
import pytest

from utt_ros.sessions.simulator import detections
from utt_ros.sessions.simulator.trajectories import GRID_HZ, SimulatedWalk, simulate_walk
from utt_ros.settings import AreaSettings

AREA = AreaSettings(area='area0')
TIMES = (np.arange(400) + 0.5) / 10


def standing(x: float, y: float) -> SimulatedWalk:
    times = np.arange(40 * int(GRID_HZ) + 1) / GRID_HZ
    return SimulatedWalk(times, np.tile([x, y], (len(times), 1)), np.zeros(len(times)))


def test_boxes_lie_where_the_walkers_are(rng: np.random.Generator) -> None:
    doors = np.array([[16.0, 0.0]])
    walks = [simulate_walk(np.random.default_rng(i), 1.2, doors, 40.0) for i in range(5)]
    boxes, seen, _ = detections.detect_people(rng, AREA, walks, TIMES)
    positions = np.stack([walked.at(TIMES).position_m for walked in walks], axis=1)[seen]
    u, v, depth = boxes[seen][:, :3].T
    ray = np.stack([np.ones_like(u), (AREA.cx - u) / AREA.fx, (AREA.cy - v) / AREA.fy], axis=1)
    cos, sin = np.cos(AREA.camera_pitch), np.sin(AREA.camera_pitch)
    forward = depth * (ray[:, 0] * cos + ray[:, 2] * sin)
    known = np.isfinite(depth)
    errors = np.hypot(forward - positions[:, 0], depth * ray[:, 1] - positions[:, 1])
    assert seen.sum() > 300
    assert np.median(errors[known]) < 0.2
    assert 0.002 < (errors[known] > 1).mean() < 0.1  # depth has outliers
    assert 0.001 < (~known).mean() < 0.03


def test_a_person_ahead_is_nearly_always_seen_and_one_behind_never(
        rng: np.random.Generator) -> None:
    _, seen, _ = detections.detect_people(rng, AREA, [standing(6, 1), standing(-2, 0)], TIMES)
    assert 0.88 < seen[:, 0].mean() < 0.99
    assert not seen[:, 1].any()


def test_a_nearer_person_hides_the_one_behind(rng: np.random.Generator) -> None:
    _, seen, _ = detections.detect_people(rng, AREA, [standing(8, 0), standing(7, 0)], TIMES)
    assert not seen[:, 0].any()
    assert seen[:, 1].mean() > 0.88
    _, seen, _ = detections.detect_people(rng, AREA, [standing(8, 0), standing(7, 2)], TIMES)
    assert seen[:, 0].mean() > 0.88


def test_nobody_is_seen_before_entering_or_after_leaving(rng: np.random.Generator) -> None:
    whole = standing(6, 0)
    part = slice(2000, 3000)
    late = SimulatedWalk(whole.times_s[part], whole.position_m[part], whole.heading_rad[part])
    _, seen, _ = detections.detect_people(rng, AREA, [late], TIMES)
    present = late.covers(TIMES)
    assert not seen[~present].any()
    assert seen[present].mean() > 0.85


def test_a_track_gets_a_new_number_only_after_a_long_absence(rng: np.random.Generator) -> None:
    whole = standing(6, 0)
    position = whole.position_m.copy()
    position[1000:2000, 0] = -2  # behind the camera from 10 s to 20 s
    walks = [SimulatedWalk(whole.times_s, position, whole.heading_rad), standing(6, 3)]
    _, seen, tracks = detections.detect_people(rng, AREA, walks, TIMES)
    assert set(tracks[~seen]) == {0}
    assert set(tracks[:100, 0]) - {0} == {1}
    assert set(tracks[:, 1]) - {0} == {2}
    assert set(tracks[200:, 0]) - {0} == {3}


def test_frames_are_taken_at_ten_hertz(rng: np.random.Generator) -> None:
    times = detections.frame_times(rng, 30.0)
    assert len(times) == 300
    assert np.diff(times).min() > 0.05
    assert np.diff(times).mean() == pytest.approx(0.1, abs=1e-3)
