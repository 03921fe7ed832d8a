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

"""Depth of people among what stands before and behind them."""

import numpy as np
import pytest

from utt_ros.drivers.camera.depth import box_depths

BOX = np.float32([[320, 200, np.nan, 100, 200]])
PERSON_M, WALL_M = 4.0, 9.0


def room(rng: np.random.Generator) -> np.ndarray:
    """Picture (360, 640) of a person in the box and a wall behind, as noisy as stereo."""
    depth = np.full((360, 640), WALL_M, np.float32)
    depth[100:300, 285:355] = PERSON_M
    depth += rng.normal(0, 0.01, depth.shape).astype(np.float32) * depth
    return depth


def test_the_depth_of_a_person_is_the_mode_of_the_middle(rng: np.random.Generator) -> None:
    assert box_depths(room(rng), BOX) == pytest.approx([PERSON_M], abs=0.05)


def test_a_box_that_is_too_wide_has_the_depth_of_the_person(rng: np.random.Generator) -> None:
    wide = np.float32([[320, 200, np.nan, 220, 230]])
    assert box_depths(room(rng), wide) == pytest.approx([PERSON_M], abs=0.05)


def test_desk_before_the_legs_is_not_the_person(rng: np.random.Generator) -> None:
    depth = room(rng)
    depth[230:] = 1.5
    assert box_depths(depth, BOX) == pytest.approx([PERSON_M], abs=0.05)


def test_a_pole_in_front_of_the_box_center_is_not_the_person(rng: np.random.Generator) -> None:
    depth = room(rng)
    depth[:, 315:325] = 2.0
    assert depth[200, 320] == 2.0
    assert box_depths(depth, BOX) == pytest.approx([PERSON_M], abs=0.05)


def test_a_half_occluded_person_has_no_depth(rng: np.random.Generator) -> None:
    depth = room(rng)
    depth[200:] = 2.0
    assert np.isnan(box_depths(depth, BOX)).all()


def test_unknown_pixels_are_left_out(rng: np.random.Generator) -> None:
    depth = room(rng)
    depth[rng.random(depth.shape) < 0.6] = np.nan
    depth[rng.random(depth.shape) < 0.1] = np.inf
    depth[rng.random(depth.shape) < 0.1] = 0.0
    assert box_depths(depth, BOX) == pytest.approx([PERSON_M], abs=0.05)


def test_too_few_known_pixels_have_no_depth(rng: np.random.Generator) -> None:
    depth = room(rng)
    depth[rng.random(depth.shape) < 0.97] = np.nan
    assert np.isnan(box_depths(depth, BOX)).all()
    assert np.isnan(box_depths(np.full((360, 640), np.nan, np.float32), BOX)).all()


def test_a_surface_without_a_body_has_no_depth() -> None:
    slope = np.tile(np.linspace(1, 15, 360, dtype=np.float32)[:, None], (1, 640))
    assert np.isnan(box_depths(slope, np.float32([[320, 180, np.nan, 100, 350]]))).all()


def test_boxes_beyond_the_image_have_no_depth(rng: np.random.Generator) -> None:
    away = np.float32([[-500, 200, np.nan, 50, 100], [320, 9000, np.nan, 50, 100],
                       [320, 200, np.nan, 1, 1]])
    assert np.isnan(box_depths(room(rng), away)).all()
    assert box_depths(room(rng), away[:0]).shape == (0,)
