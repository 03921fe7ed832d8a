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

"""Camera model: a fixed pinhole camera above a flat floor; boxes to positions and back.

The camera hangs at (0, 0, camera_height) of the area frame and looks along x, `camera_pitch`
below the horizon. A point at x forward, y left and d below the camera has the optical
coordinates [D]

    z = x cos(pitch) + d sin(pitch)        depth along the optical axis [m]
    v' = d cos(pitch) - x sin(pitch)       down [m]
    u = cx - fx y / z,  v = cy + fy v' / z [px]

A person is a vertical axis from the floor to `person_height`, with a body around it; a box spans
from the farthest point of the head to the nearest of the feet, and the depth of a box is that of
the axis at the row of the box centre.

The slope of a row is the drop of its view ray below the camera per metre ahead. With the slopes F
and G of the lower and the upper edge, the axis at x, body radius R, and heights C of the camera
and H of the person [D]

    F (x - R) = C,  G (x + R) = C - H        (x - R in the latter if the head is above the camera)
"""

import numpy as np
import numpy.typing as npt

from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

PERSON_WIDTH_M = 0.5
PERSON_HEIGHT_STD_M = 0.08
BODY_RADIUS_M, BODY_RADIUS_STD_M = 0.12, 0.1  # of head and feet about the axis [R]
PIXEL_JITTER = 0.015  # standard deviation of a box's centre and size, in box heights
DEPTH_NOISE = (0.01, 0.0015)  # standard deviation 0.01 z + 0.0015 z^2 [R: as of stereo]
BODY_SWAY_M = 0.03  # standard deviation of the box centre about the person's axis [R]
DEPTH_LIMITS_M = (0.5, 18.0)  # range of stereo depth
EDGE_PX = 2.0  # a box closer to the image border may be truncated
MAX_FLOOR_DEPTH_STD = 0.15  # relative error of a usable depth from feet [R]
PITCH_STD_RAD = 0.01  # of a camera pitch measured by an installer [R]
CALIBRATED_PITCH_STD_RAD = 0.003  # of a calibrated camera pitch [R]
MAX_HEIGHT_DEVIATION_M = 0.3  # beyond: truncated, on a table, or a child [R]
MIN_VISIBLE_SHARE = 0.4  # of a box inside the image, for a detection


class CameraModel:
    """Projection and back-projection of people; every method takes any leading shape."""

    def __init__(
        self, area: AreaSettings, box_error: float = 0.0, body_spread: float = 1.0,
    ) -> None:
        """`box_error`: of the centre and size of boxes, in addition to PIXEL_JITTER [px].

        `body_spread`: factor of the deviations of people's heights, body radii and sway, and of
        the camera's pitch.
        """
        self._area, self._box_error = area, box_error
        self._height_std, self._radius_std, self._sway, self._pitch_std = body_spread * np.array([
            PERSON_HEIGHT_STD_M, BODY_RADIUS_STD_M, BODY_SWAY_M, CALIBRATED_PITCH_STD_RAD])
        self._cos, self._sin = float(np.cos(area.camera_pitch)), float(np.sin(area.camera_pitch))

    def back_project(self, boxes: npt.ArrayLike) -> Array:
        """Back-project boxes (..., 5) [CAMERA_CHANNELS] to positions (..., 2) [m], area frame.

        A depth that is not a positive number is replaced by one from the height of the box and
        `person_height`. Without either the position is not finite.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        depth = self._depth(boxes)
        forward = depth * self._forward_per_depth(boxes)
        left = depth * (self._area.cx - boxes[..., 0]) / self._area.fx
        return np.stack([forward, left], axis=-1)

    def covariance(self, boxes: npt.ArrayLike) -> Array:
        """Compute covariances (..., 2, 2) [m^2] of back-projected positions, to first order [D].

        Measured depth has DEPTH_NOISE and the area's `depth_error`, depth from the box height
        twice its relative jitter; the centre has PIXEL_JITTER and `box_error` on both axes, and
        the body sways by BODY_SWAY_M.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        depth = self._depth(boxes)
        with np.errstate(divide='ignore', invalid='ignore'):
            of_height = 2 * depth * self._box_std(boxes) / boxes[..., 4]
        std = np.where(boxes[..., 2] > 0, self._depth_std(depth), of_height)
        return self._position_covariance(boxes, std)

    def locate(self, boxes: npt.ArrayLike) -> tuple[Array, Array]:
        """Estimate positions (..., 2) [m] and covariances (..., 2, 2) [m^2] from all cues.

        On a flat floor the height of a box and the row of its centre each give a depth as well. A
        person taller than `person_height` appears nearer by the former and farther by the latter,
        and heights vary by PERSON_HEIGHT_STD_M; the depth is the most likely one over all heights
        [D]. A box truncated by the image border has its measured depth only.
        """
        boxes = np.array(boxes, dtype=np.float64)
        with np.errstate(divide='ignore', invalid='ignore'):
            depths, stds, gradients = self._depth_cues(boxes)
            usable = np.isfinite(depths) & (depths > 0) & (stds > 0)
            weights = np.where(usable, stds**-2.0, 0.0)
            depths, gradients = np.where(usable, depths, 0.0), np.where(usable, gradients, 0.0)
            depth_information, cross_information = weights.sum(0), (weights * gradients).sum(0)
            height_information = (weights * gradients**2).sum(0) + self._height_std**-2.0
            share = cross_information / height_information
            precision = depth_information - share * cross_information
            boxes[..., 2] = (weights * (1.0 - share * gradients) * depths).sum(0) / precision
            return self.back_project(boxes), self._position_covariance(boxes, precision**-0.5)

    def project(self, positions: npt.ArrayLike) -> Array:
        """Project people at positions (..., 2) [m], in front of the camera, to boxes (..., 5)."""
        positions = np.asarray(positions, dtype=np.float64)
        x, y = positions[..., 0], positions[..., 1]
        with np.errstate(divide='ignore', invalid='ignore'):
            above = self._area.person_height > self._area.camera_height
            top = self._row(x + (-1 if above else 1) * BODY_RADIUS_M, self._area.person_height)
            bottom = self._row(x - BODY_RADIUS_M, 0.0)
            row = (top + bottom) / 2
            depth = x / (self._cos - (row - self._area.cy) / self._area.fy * self._sin)
            column = self._area.cx - self._area.fx * y / depth
            width = self._area.fx * PERSON_WIDTH_M / depth
        return np.stack([column, row, depth, width, bottom - top], axis=-1)

    def floor_depth(self, boxes: npt.ArrayLike) -> Array:
        """Compute the depth (...) [m] of people from the lower edges of boxes (..., 5) [D].

        NaN where uncertain: for a box truncated by the image border, feet too near the horizon
        (MAX_FLOOR_DEPTH_STD), or an implied height that differs from `person_height` by more than
        MAX_HEIGHT_DEVIATION_M.
        """
        area = self._area
        boxes = np.asarray(boxes, dtype=np.float64)
        u, v, _, width, height = np.moveaxis(boxes, -1, 0)
        with np.errstate(divide='ignore', invalid='ignore'):
            low, high = self._row_slopes(boxes)
            forward = area.camera_height / low + BODY_RADIUS_M
            implied_height = area.camera_height - high * forward - BODY_RADIUS_M * np.abs(high)
            jitter = np.hypot(self._box_std(boxes) / area.fy, PITCH_STD_RAD)
            slope = (v + height / 2 - area.cy) / area.fy * self._cos + self._sin
            is_certain = (slope > 0) & (jitter / slope <= MAX_FLOOR_DEPTH_STD)
            is_upright = np.abs(implied_height - area.person_height) <= MAX_HEIGHT_DEVIATION_M
            depth = forward / self._forward_per_depth(boxes)
        is_truncated = self._touches_border(u, v, width, height)
        return np.where(is_certain & is_upright & ~is_truncated, depth, np.nan)

    def in_view(self, positions: npt.ArrayLike) -> MaskArray:
        """Return whether an unoccluded person at each position (..., 2) [m] is in view, (...)."""
        return self.clip_boxes(self.project(positions))[1]

    def clip_boxes(self, boxes: npt.ArrayLike) -> tuple[Array, MaskArray]:
        """Clip boxes (..., 5) to the image; return them and a mask (...) of those to be detected.

        A box is detected within DEPTH_LIMITS_M where the image holds MIN_VISIBLE_SHARE of it.
        """
        area = self._area
        u, v, depth, width, height = np.moveaxis(np.asarray(boxes, dtype=np.float64), -1, 0)
        low, high = DEPTH_LIMITS_M
        with np.errstate(invalid='ignore', divide='ignore'):
            left, right = _clip_span(u, width, area.image_width)
            top, bottom = _clip_span(v, height, area.image_height)
            columns, rows = right - left, bottom - top
            share = columns * rows / (width * height)
            visible = (depth >= low) & (depth <= high) & (share >= MIN_VISIBLE_SHARE)
            visible &= (width > 0) & (height > 0)
        clipped = np.stack([(left + right) / 2, (top + bottom) / 2, depth, columns, rows], axis=-1)
        return clipped, np.asarray(visible)

    def _position_covariance(self, boxes: Array, depth_std: Array) -> Array:
        """Compute covariances (..., 2, 2) of positions from standard deviations of depth."""
        area, depth = self._area, self._depth(boxes)
        lateral = (area.cx - boxes[..., 0]) / area.fx
        ray = np.stack([self._forward_per_depth(boxes), lateral], axis=-1)
        of_depth = ray * depth_std[..., None]
        pixel_std = self._box_std(boxes)
        of_row = depth * self._sin / area.fy * pixel_std
        of_column = depth / area.fx * pixel_std
        covariance = of_depth[..., :, None] * of_depth[..., None, :]
        covariance[..., 0, 0] += of_row**2 + self._sway**2
        covariance[..., 1, 1] += of_column**2 + self._sway**2
        return np.asarray(covariance)

    def _depth_cues(self, boxes: Array) -> tuple[Array, Array, Array]:
        """Compute depths (3, ...): measured, from box height, from centre row, at usual height.

        Also their standard deviations and derivatives with respect to a person's height [D].
        """
        area = self._area
        u, v, measured, width, height = np.moveaxis(boxes, -1, 0)
        low, high = self._row_slopes(boxes)
        side, jitter = np.abs(high), self._box_std(boxes) / height
        per_height, per_middle = 1.0 / (low - high), 1.0 / (low + high)
        of_height = self._forward_of_height(low, high)
        of_middle = (2 * area.camera_height - area.person_height
                     + BODY_RADIUS_M * (low - side)) * per_middle
        height_std = np.hypot(
            jitter * of_height, self._radius_std * (low + side) * per_height)
        shift = np.hypot(jitter * (low - high), self._pitch_std)  # of both edges
        middle_std = np.hypot(
            2 * shift * of_middle * per_middle, self._radius_std * (low - side) * per_middle)
        hidden = np.where(self._touches_border(u, v, width, height) & (measured > 0), np.inf, 1.0)
        along = self._forward_per_depth(boxes)
        return (np.stack([measured, of_height / along, of_middle / along]),
                np.stack([self._depth_std(measured), height_std / along * hidden,
                          middle_std / along * hidden]),
                np.stack([np.zeros_like(along), per_height / along, -per_middle / along]))

    def _row_slopes(self, boxes: Array) -> tuple[Array, Array]:
        """Compute slopes (...) of the lower and the upper edge of boxes (..., 5)."""
        area = self._area
        middle, half = boxes[..., 1] - area.cy, boxes[..., 4] / 2
        low, high = (
            (slope * self._cos + self._sin) / (self._cos - slope * self._sin)
            for slope in ((middle + half) / area.fy, (middle - half) / area.fy))
        return low, high

    def _touches_border(self, u: Array, v: Array, width: Array, height: Array) -> MaskArray:
        """Return whether the image border may truncate a box."""
        area = self._area
        return np.asarray(
            (np.abs(2 * u - area.image_width) + width > area.image_width - 2 * EDGE_PX)
            | (np.abs(2 * v - area.image_height) + height > area.image_height - 2 * EDGE_PX))

    def _box_std(self, boxes: Array) -> Array:
        """Compute the standard deviation (...) of the centre and size of boxes (..., 5) [px]."""
        return np.asarray(np.hypot(PIXEL_JITTER * boxes[..., 4], self._box_error))

    def _depth_std(self, depth: Array) -> Array:
        own = DEPTH_NOISE[0] * depth + DEPTH_NOISE[1] * depth**2
        return np.asarray(np.hypot(own, self._area.depth_error * depth))

    def _forward_per_depth(self, boxes: Array) -> Array:
        """Compute the forward distance per metre of depth in the row of the box centre, (...)."""
        return np.asarray(self._cos - (boxes[..., 1] - self._area.cy) / self._area.fy * self._sin)

    def _row(self, x: Array, height: float) -> Array:
        below = self._area.camera_height - height
        down = below * self._cos - x * self._sin
        depth = x * self._cos + below * self._sin
        return np.asarray(self._area.cy + self._area.fy * down / depth)

    def _depth(self, boxes: Array) -> Array:
        with np.errstate(divide='ignore', invalid='ignore'):
            return np.where(boxes[..., 2] > 0, boxes[..., 2], self._depth_of_height(boxes))

    def _depth_of_height(self, boxes: Array) -> Array:
        """Compute the depth at which an upright person is as high as the box [D]."""
        return self._forward_of_height(*self._row_slopes(boxes)) / self._forward_per_depth(boxes)

    def _forward_of_height(self, low: Array, high: Array) -> Array:
        """Compute the forward distance (...) [m] of people of usual height between two slopes."""
        wide = BODY_RADIUS_M * (low + np.abs(high))
        return np.asarray((self._area.person_height + wide) / (low - high))


def _clip_span(centre: Array, size: Array, limit: int) -> tuple[Array, Array]:
    return np.clip(centre - size / 2, 0, limit), np.clip(centre + size / 2, 0, limit)
