"""A fixed pinhole camera that looks down on a flat floor: boxes to positions and back.

The camera hangs at (0, 0, camera_height) of the area frame and looks along x, `camera_pitch`
below the horizon. A point at x forward, y left and d below the camera has the optical
coordinates [D]

    z = x cos(pitch) + d sin(pitch)        depth along the optical axis [m]
    v' = d cos(pitch) - x sin(pitch)       down [m]
    u = cx - fx y / z,  v = cy + fy v' / z [px]

A person is a vertical axis from the floor to `person_height`, with a body about it; a box spans
from what is furthest of the head to what is nearest of the feet, and the depth of a box is that of
the axis at the row of the box centre.

How far below the camera a row looks per metre ahead is its `fall`. With those of the lower and the
upper edge, F and G, the axis at x, the body up to R from it, camera and person C and H high [D]

    F (x - R) = C,  G (x + R) = C - H        below a head that is higher than the camera, x - R
"""

import numpy as np
import numpy.typing as npt

from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

PERSON_WIDTH_M = 0.5
PERSON_HEIGHT_STD_M = 0.08
BODY_RADIUS_M, BODY_RADIUS_STD_M = 0.12, 0.1  # of head and feet about the axis [R]
PIXEL_JITTER = 0.015  # standard deviation of a box's centre and size, in heights of the box
DEPTH_NOISE = (0.01, 0.0015)  # its standard deviation is 0.01 z + 0.0015 z^2 [R: as stereo does]
BODY_SWAY_M = 0.03  # standard deviation of the box centre about the person's axis [R]
DEPTH_LIMITS_M = (0.5, 18.0)  # where a stereo camera tells depth
EDGE_PX = 2.0  # a box that comes closer to the edge of the image may be cut
FLOOR_STD = 0.15  # relative error beyond which feet do not tell how far somebody is [R]
PITCH_STD_RAD = 0.01  # of the camera, as an installer measures it [R]
TILT_STD_RAD = 0.003  # of a camera whose pitch was calibrated [R]
ODD_M = 0.3  # who differs so much from the usual height is cut, on a table, or a child [R]
VISIBLE_SHARE = 0.4  # of a box must lie in the image for a detection


class CameraModel:
    """Projection and back-projection of people; every method takes any leading shape."""

    def __init__(self, area: AreaSettings) -> None:
        self._area = area
        self._cos, self._sin = float(np.cos(area.camera_pitch)), float(np.sin(area.camera_pitch))

    def back_project(self, boxes: npt.ArrayLike) -> Array:
        """Positions (..., 2) [m] in the area frame of boxes (..., 5) [CAMERA_CHANNELS].

        Where depth is not a positive number it comes from the height of the box and
        `person_height`. A box that says neither gives a position that is not finite.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        depth = self._depth(boxes)
        forward = depth * self._along(boxes)
        left = depth * (self._area.cx - boxes[..., 0]) / self._area.fx
        return np.stack([forward, left], axis=-1)

    def covariance(self, boxes: npt.ArrayLike) -> Array:
        """Covariances (..., 2, 2) [m^2] of the back-projected positions, to first order [D].

        Depth has DEPTH_NOISE and the area's `depth_error`, or twice the relative jitter of the
        height where it comes from the height; the centre has PIXEL_JITTER on both axes, and the
        body sways by BODY_SWAY_M.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        depth = self._depth(boxes)
        std = np.where(boxes[..., 2] > 0, self._depth_std(depth), 2 * PIXEL_JITTER * depth)
        return self._spread(boxes, std)

    def locate(self, boxes: npt.ArrayLike) -> tuple[Array, Array]:
        """Positions (..., 2) [m] and covariances (..., 2, 2) [m^2] from all that a box says.

        On a flat floor the height of a box and the row of its middle each tell a depth, too. Who
        is taller than `person_height` seems nearer by the one and further by the other, and people
        differ by PERSON_HEIGHT_STD_M; the depth is the most likely one of all heights [D]. A box
        that the edge of the image cuts has only its depth.
        """
        boxes = np.array(boxes, dtype=np.float64)
        with np.errstate(divide='ignore', invalid='ignore'):
            depths, stds, growths = self._cues(boxes)
            usable = np.isfinite(depths) & (depths > 0) & (stds > 0)
            weights = np.where(usable, stds**-2.0, 0.0)
            depths, growths = np.where(usable, depths, 0.0), np.where(usable, growths, 0.0)
            of_depth, of_both = weights.sum(0), (weights * growths).sum(0)
            of_height = (weights * growths**2).sum(0) + PERSON_HEIGHT_STD_M**-2.0
            share = of_both / of_height  # of what a depth says that is said of the height
            precision = of_depth - share * of_both
            boxes[..., 2] = (weights * (1.0 - share * growths) * depths).sum(0) / precision
            return self.back_project(boxes), self._spread(boxes, precision**-0.5)

    def project(self, positions: npt.ArrayLike) -> Array:
        """Boxes (..., 5) of people at positions (..., 2) [m]; meaningless behind the camera."""
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
        """Depth (...) [m] of people who stand where the lower edges of boxes (..., 5) say [D].

        NaN where that is uncertain: a box that the edge of the image cuts, feet too near to the
        horizon (FLOOR_STD), or a person who would not be about as tall as `person_height`.
        """
        area = self._area
        boxes = np.asarray(boxes, dtype=np.float64)
        u, v, _, width, height = np.moveaxis(boxes, -1, 0)
        with np.errstate(divide='ignore', invalid='ignore'):
            low, high = self._falls(boxes)
            forward = area.camera_height / low + BODY_RADIUS_M
            tall = area.camera_height - high * forward - BODY_RADIUS_M * np.abs(high)
            jitter = np.hypot(PIXEL_JITTER * height / area.fy, PITCH_STD_RAD)
            steep = (v + height / 2 - area.cy) / area.fy * self._cos + self._sin
            sure = (steep > 0) & (jitter / steep <= FLOOR_STD)
            human = np.abs(tall - area.person_height) <= ODD_M
            depth = forward / self._along(boxes)
        cut = self._cut(u, v, width, height)
        return np.where(sure & human & ~cut, depth, np.nan)

    def in_view(self, positions: npt.ArrayLike) -> MaskArray:
        """Whether an unhidden person at each position (..., 2) [m] would be detected, (...)."""
        u, v, depth, width, height = np.moveaxis(self.project(positions), -1, 0)
        low, high = DEPTH_LIMITS_M
        with np.errstate(invalid='ignore', divide='ignore'):
            columns = _overlap(u, width, self._area.image_width)
            rows = _overlap(v, height, self._area.image_height)
            share = columns * rows / (width * height)
            return np.asarray((depth >= low) & (depth <= high) & (share >= VISIBLE_SHARE))

    def _spread(self, boxes: Array, depth_std: Array) -> Array:
        """Covariances (..., 2, 2) of positions whose depths have these standard deviations."""
        area, depth = self._area, self._depth(boxes)
        lateral = (area.cx - boxes[..., 0]) / area.fx
        of_depth = np.stack([self._along(boxes), lateral], axis=-1) * depth_std[..., None]
        pixel_std = PIXEL_JITTER * np.abs(boxes[..., 4])
        of_row = depth * self._sin / area.fy * pixel_std
        of_column = depth / area.fx * pixel_std
        covariance = of_depth[..., :, None] * of_depth[..., None, :]
        covariance[..., 0, 0] += of_row**2 + BODY_SWAY_M**2
        covariance[..., 1, 1] += of_column**2 + BODY_SWAY_M**2
        return np.asarray(covariance)

    def _cues(self, boxes: Array) -> tuple[Array, Array, Array]:
        """Depths (3, ...) as measured, from height and from middle, of people of usual height.

        With their standard deviations, and how much each grows with the height of somebody [D].
        """
        area = self._area
        u, v, measured, width, height = np.moveaxis(boxes, -1, 0)
        low, high = self._falls(boxes)
        side = np.abs(high)
        per_height, per_middle = 1.0 / (low - high), 1.0 / (low + high)
        of_height = self._by_height(low, high)
        of_middle = (2 * area.camera_height - area.person_height
                     + BODY_RADIUS_M * (low - side)) * per_middle
        height_std = np.hypot(
            PIXEL_JITTER * of_height, BODY_RADIUS_STD_M * (low + side) * per_height)
        shift = np.hypot(PIXEL_JITTER * (low - high), TILT_STD_RAD)  # of both edges
        middle_std = np.hypot(
            2 * shift * of_middle * per_middle, BODY_RADIUS_STD_M * (low - side) * per_middle)
        hidden = np.where(self._cut(u, v, width, height) & (measured > 0), np.inf, 1.0)
        along = self._along(boxes)
        return (np.stack([measured, of_height / along, of_middle / along]),
                np.stack([self._depth_std(measured), height_std / along * hidden,
                          middle_std / along * hidden]),
                np.stack([np.zeros_like(along), per_height / along, -per_middle / along]))

    def _falls(self, boxes: Array) -> tuple[Array, Array]:
        """Of the lower and the upper edge of boxes (..., 5), each (...)."""
        area = self._area
        middle, half = boxes[..., 1] - area.cy, boxes[..., 4] / 2
        low, high = (
            (slope * self._cos + self._sin) / (self._cos - slope * self._sin)
            for slope in ((middle + half) / area.fy, (middle - half) / area.fy))
        return low, high

    def _cut(self, u: Array, v: Array, width: Array, height: Array) -> MaskArray:
        """Whether the edge of the image may cut a box."""
        area = self._area
        return np.asarray(
            (np.abs(2 * u - area.image_width) + width > area.image_width - 2 * EDGE_PX)
            | (np.abs(2 * v - area.image_height) + height > area.image_height - 2 * EDGE_PX))

    def _depth_std(self, depth: Array) -> Array:
        own = DEPTH_NOISE[0] * depth + DEPTH_NOISE[1] * depth**2
        return np.asarray(np.hypot(own, self._area.depth_error * depth))

    def _along(self, boxes: Array) -> Array:
        """How far ahead one metre of depth lies in the row of the box centre, (...)."""
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
        """Depth at which an upright person is as high as the box [D]."""
        return self._by_height(*self._falls(boxes)) / self._along(boxes)

    def _by_height(self, low: Array, high: Array) -> Array:
        """How far ahead (...) people of usual height are who span these falls [m]."""
        wide = BODY_RADIUS_M * (low + np.abs(high))
        return np.asarray((self._area.person_height + wide) / (low - high))


def _overlap(centre: Array, size: Array, limit: int) -> Array:
    low, high = np.clip(centre - size / 2, 0, limit), np.clip(centre + size / 2, 0, limit)
    return np.asarray(high - low)
