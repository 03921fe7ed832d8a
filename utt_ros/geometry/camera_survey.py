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

"""Camera survey: height, pitch and roll of a camera from walkers, or from points on the floor.

Feet and head of an upright person are two rows of a box. Their relation over the image depends on
pitch, and on the ratio of the heights of camera and person; its slope from left to right is the
roll. With the slopes of `geometry.camera`, of the lower edge F = C / (x - R), the upper edge of a
person of height H at the same x follows as G = (C - H) / (x + R), whatever x is [D].

Roll is that of the camera about its optical axis, clockwise seen from behind it: what is level
rises to the right in the image of a camera with positive roll [rad].
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera import (
    BODY_RADIUS_M,
    EDGE_PX,
    PERSON_HEIGHT_STD_M,
    PIXEL_JITTER,
)
from utt_ros.geometry.robust_errors import CAUCHY, clustered_covariances
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

MIN_BOXES = 100
MIN_SPANS = 6  # of SPAN_S of one walker: boxes of one span have the same errors
SPAN_S = 5.0
MAX_PITCH_ERROR_RAD = 0.005  # standard error of a pitch by walkers
MAX_POINTS_PITCH_ERROR_RAD = 0.02  # and by floor points, of which there are few
MAX_HEIGHT_ERROR = 0.1  # relative standard error of a usable height
MAX_FITTED_BOXES = 3000
MIN_POINTS = 4
POINT_STD_PX = 2.0  # of a point that somebody clicked [R]
START_PITCHES_RAD, START_HEIGHTS_M = (0.0, 0.25, 0.6, 1.0), (1.4, 2.5, 5.0)
LOW_POSE, HIGH_POSE = (0.3, -0.8, -0.5), (30.0, 1.5, 0.5)  # height, pitch, roll
WEIGHT_PASSES = 3  # of fits with the weights of the former one
MAD_STD = 1.4826  # standard deviation of a normal error, in its median absolute deviation
POSE_SIZE = 3


@dataclass(frozen=True, slots=True)
class CameraFit:
    """Pose of a camera with standard errors, and the N boxes or points that it rests on."""

    height_m: float
    pitch_rad: float
    roll_rad: float
    height_error_m: float
    pitch_error_rad: float
    roll_error_rad: float
    residual_px: float  # robust standard deviation
    measured: Array  # (N, 2) [px]: rows of feet and head without roll; columns and rows of points
    fitted: Array  # (N, 2) [px], of the same
    distances_m: Array  # (N,) ahead of the camera
    yaw_rad: float = 0.0  # of the optical axis from the x axis, by points


class _Observations(NamedTuple):
    """The last fields of a fit."""

    measured: Array
    fitted: Array
    distances_m: Array


@dataclass(frozen=True, slots=True)
class WalkerBoxes:
    """N boxes of walkers in the image of a fixed camera."""

    boxes: Array  # (N, 5) CAMERA_CHANNELS
    walkers: npt.NDArray[np.int64]  # (N,) number of the walker, or of the track
    times_s: Array  # (N,)


def fit_camera_to_walkers(seen: WalkerBoxes, area: AreaSettings) -> CameraFit:
    """Fit the pose of a camera to boxes of walkers who are `person_height` tall on average [D].

    Each walker has a height of its own, within PERSON_HEIGHT_STD_M, and errors count once per
    span. Raises MeasurementError with the reason when the walks do not determine the pose.
    """
    seen = _select_boxes(seen, area)
    _, walkers = np.unique(seen.walkers, return_inverse=True)
    spans = np.stack([walkers, (seen.times_s // SPAN_S).astype(np.int64)])
    clusters = np.unique(spans, axis=1, return_inverse=True)[1].ravel()
    count = int(clusters.max(initial=-1)) + 1
    if len(seen.boxes) < MIN_BOXES or count < MIN_SPANS:
        raise MeasurementError(
            f'{len(seen.boxes)} boxes of whole people in {count} spans of {SPAN_S:g} s: at least '
            f'{MIN_BOXES} in {MIN_SPANS} are needed; let somebody walk all over the image')
    curve = _WalkerCurve(seen.boxes, walkers, area)
    pose, jacobian, residuals = curve.fit()
    errors = _standard_errors(jacobian, residuals, clusters)
    low, high = curve.edges(float(pose[2]))
    distances, head = curve.predict(pose)
    measured, fitted = (
        np.stack(rows, axis=1) * area.fy + area.cy for rows in ((low, high), (low, head)))
    fit = _camera_fit(
        pose, errors, MAD_STD * float(np.median(np.abs(measured - fitted)[:, 1])),
        _Observations(measured, fitted, distances))
    _check_pose(fit, MAX_PITCH_ERROR_RAD)
    return fit


def fit_camera_to_points(pixels: Array, floor_m: Array, area: AreaSettings) -> CameraFit:
    """Fit the pose of a camera to the pixels (N, 2) of points (N, 2) [m] on the floor [D].

    Points are in the area frame, whose origin lies below the camera; `yaw_rad` tells how far the
    x axis that they were measured in is from the view direction. Raises MeasurementError.
    """
    if len(pixels) < MIN_POINTS:
        raise MeasurementError(f'{len(pixels)} points: at least {MIN_POINTS} are needed, at '
                               'different distances and on both sides')
    scale = np.array([area.fx, area.fy])
    measured = (pixels - [area.cx, area.cy]) / scale

    def errors_of(pose: Array) -> Array:
        deviation: Array = (_project_floor(floor_m, pose) - measured) * scale / POINT_STD_PX
        return np.clip(deviation, -1e6, 1e6).ravel()

    starts = [(height, pitch, 0.0, 0.0)
              for height, pitch in product(START_HEIGHTS_M, START_PITCHES_RAD)]
    bounds = ((*LOW_POSE, -np.pi), (*HIGH_POSE, np.pi))
    best = min((least_squares(errors_of, start, loss='cauchy', f_scale=CAUCHY, bounds=bounds,
                              x_scale=(1.0, 0.1, 0.1, 0.1))
                for start in starts), key=lambda found: float(found.cost))
    deviation = errors_of(best.x)
    linear = least_squares(errors_of, best.x, bounds=bounds, max_nfev=1)
    errors = _standard_errors(linear.jac, deviation, np.arange(len(deviation)) // 2)
    fitted = _project_floor(floor_m, best.x) * scale + [area.cx, area.cy]
    yaw = float(best.x[POSE_SIZE])
    seen = _Observations(pixels, fitted, floor_m @ [np.cos(yaw), np.sin(yaw)])
    fit = replace(_camera_fit(
        best.x, errors, POINT_STD_PX * MAD_STD * float(np.median(np.abs(deviation))), seen),
        yaw_rad=yaw)
    _check_pose(fit, MAX_POINTS_PITCH_ERROR_RAD)
    return fit


def roll_boxes(boxes: Array, roll_rad: float, area: AreaSettings) -> Array:
    """Turn the centres of boxes (N, 5) about the principal point to those of a rolled camera."""
    u, v = (boxes[:, 0] - area.cx) / area.fx, (boxes[:, 1] - area.cy) / area.fy
    rolled = boxes.copy()
    rolled[:, 0] = area.cx + area.fx * (u * np.cos(roll_rad) + v * np.sin(roll_rad))
    rolled[:, 1] = area.cy + area.fy * (v * np.cos(roll_rad) - u * np.sin(roll_rad))
    return rolled


class _WalkerCurve:
    """Residuals of upper edges, given lower edges, of boxes in slopes of an upright camera."""

    def __init__(self, boxes: Array, walkers: npt.NDArray[np.int64], area: AreaSettings) -> None:
        self._boxes, self._walkers, self._area = boxes, walkers, area
        self._count = int(walkers.max()) + 1

    def edges(self, roll_rad: float) -> tuple[Array, Array]:
        """Compute lower and upper edges (N,) [focal lengths] from the principal point."""
        boxes, area = roll_boxes(self._boxes, -roll_rad, self._area), self._area
        middle, half = (boxes[:, 1] - area.cy) / area.fy, boxes[:, 4] / 2 / area.fy
        return middle + half, middle - half

    def predict(self, parameters: Array) -> tuple[Array, Array]:
        """Predict distances (N,) [m] ahead and upper edges (N,) from lower edges."""
        return self._heads(parameters, self.edges(float(parameters[2]))[0])

    def fit(self) -> tuple[Array, Array, Array]:
        """Return height, pitch, roll and deviations of walkers; Jacobian; residuals."""
        starts = np.array(list(product(START_HEIGHTS_M, START_PITCHES_RAD, (0.0,))))
        stds: Array = PIXEL_JITTER * self._boxes[:, 4] / self._area.fy
        poses = [least_squares(
            self._residuals, start, loss='soft_l1', bounds=(LOW_POSE, HIGH_POSE),
            x_scale=(1.0, 0.1, 0.1), args=(stds,)) for start in starts]
        pose = min(poses, key=lambda found: float(found.cost)).x
        parameters = np.concatenate([pose, np.zeros(self._count)])
        free = [np.inf] * self._count
        bounds = ((*LOW_POSE, *np.negative(free)), (*HIGH_POSE, *free))
        for _ in range(WEIGHT_PASSES):
            stds = self._stds(parameters)
            parameters = least_squares(
                self._residuals, parameters, loss='cauchy', f_scale=CAUCHY, bounds=bounds,
                args=(stds,), x_scale=(1.0, 0.1, 0.1, *[PERSON_HEIGHT_STD_M] * self._count)).x
        linear = least_squares(
            self._residuals, parameters, bounds=bounds, args=(stds,), max_nfev=1)
        return parameters, linear.jac, self._residuals(parameters, stds)

    def _residuals(self, parameters: Array, stds: Array) -> Array:
        _, high = self.edges(float(parameters[2]))
        deviation = (high - self.predict(parameters)[1]) / stds
        prior = parameters[POSE_SIZE:] / PERSON_HEIGHT_STD_M
        return np.concatenate([np.clip(deviation, -1e3, 1e3), prior])

    def _heads(self, parameters: Array, low: Array) -> tuple[Array, Array]:
        height, pitch = parameters[:2]
        cos, sin = np.cos(pitch), np.sin(pitch)
        below = np.full(len(low), height - self._area.person_height)
        if len(parameters) > POSE_SIZE:
            below -= parameters[POSE_SIZE:][self._walkers]
        slope = (low * cos + sin) / np.maximum(cos - low * sin, 1e-3)
        forward = height / np.maximum(slope, 1e-3) + BODY_RADIUS_M
        head = below / (forward + np.where(below < 0, -BODY_RADIUS_M, BODY_RADIUS_M))
        return forward, (head * cos - sin) / np.maximum(cos + head * sin, 1e-3)

    def _stds(self, parameters: Array) -> Array:
        """Standard deviations (N,) of residuals: centre and size have PIXEL_JITTER each."""
        low, _ = self.edges(float(parameters[2]))
        step = 1e-4
        slope = (self._heads(parameters, low + step)[1]
                 - self._heads(parameters, low - step)[1]) / (2 * step)
        jitter = PIXEL_JITTER * self._boxes[:, 4] / self._area.fy
        return np.asarray(jitter * np.hypot(1 - slope, (1 + slope) / 2))


def _camera_fit(pose: Array, errors: Array, residual_px: float, seen: _Observations) -> CameraFit:
    return CameraFit(
        float(pose[0]), float(pose[1]), float(pose[2]), float(errors[0]), float(errors[1]),
        float(errors[2]), residual_px, *seen)


def _select_boxes(seen: WalkerBoxes, area: AreaSettings) -> WalkerBoxes:
    """Leave out boxes that the image border may truncate, and thin out a long recording."""
    u, v, _, width, height = seen.boxes.T
    inside: MaskArray = (
        (np.abs(2 * u - area.image_width) + width <= area.image_width - 2 * EDGE_PX)
        & (np.abs(2 * v - area.image_height) + height <= area.image_height - 2 * EDGE_PX))
    rows = np.flatnonzero(inside & (height > 0))
    rows = rows[::len(rows) // MAX_FITTED_BOXES + 1]
    return replace(seen, boxes=seen.boxes[rows], walkers=seen.walkers[rows],
                   times_s=seen.times_s[rows])


def _project_floor(floor_m: Array, pose: Array) -> Array:
    """Project points (N, 2) on the floor to (N, 2) [focal lengths] from the principal point."""
    height, pitch, roll, yaw = pose
    ahead = floor_m @ [np.cos(yaw), np.sin(yaw)]
    left = floor_m @ [-np.sin(yaw), np.cos(yaw)]
    depth = np.maximum(ahead * np.cos(pitch) + height * np.sin(pitch), 1e-3)
    u, v = -left / depth, (height * np.cos(pitch) - ahead * np.sin(pitch)) / depth
    return np.stack([u * np.cos(roll) + v * np.sin(roll),
                     v * np.cos(roll) - u * np.sin(roll)], axis=1)


def _standard_errors(
    jacobian: Array, residuals: Array, clusters: npt.NDArray[np.int64],
) -> Array:
    """Compute standard errors: the larger ones of the model's and of the sandwich estimate."""
    errors = [np.diag(each) for each in clustered_covariances(jacobian, residuals, clusters)]
    return np.asarray(np.sqrt(np.maximum(*errors)))


def _check_pose(fit: CameraFit, max_pitch_error_rad: float) -> None:
    """Raise MeasurementError when errors are too large for a pose."""
    near, far = np.percentile(fit.distances_m, [5, 95])
    wrong = [
        f'{name} {value:.3f} ± {error:.3f} {unit}' for name, value, error, unit, limit in (
            ('height', fit.height_m, fit.height_error_m, 'm', MAX_HEIGHT_ERROR * fit.height_m),
            ('pitch', fit.pitch_rad, fit.pitch_error_rad, 'rad', max_pitch_error_rad))
        if not error <= limit]
    if wrong:
        raise MeasurementError(
            f'the pose is not determined: {", ".join(wrong)}; all that was seen is {near:.1f} to '
            f'{far:.1f} m ahead: walk, or measure points, both near the camera and far from it')
