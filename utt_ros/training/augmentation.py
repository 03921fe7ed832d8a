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

"""Data augmentation: sensor outages, pose and compass changes, mirrored paths [D].

Live, a camera is blocked or ranging fails for a while at the end of a window, and phones are held
in another way. For the motion head, phones are missing, the compass is disturbed, and the course
from the camera is old or missing.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from utt_ros.geometry.compass import mirror_imu
from utt_ros.motion.features import MIRROR_SIGNS
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.labels import MotionTargets, heading_frame_targets
from utt_ros.types import AP_GEOMETRY, FloatArray, MaskArray

OUTAGES = {'camera': 0.3, 'ftm': 0.15}  # probability that the end of a window is masked
NO_ACCESS_POINT = 0.3  # probability that an access point has no ranges
NO_PHONE = 0.2  # probabilities that the motion head gets no such input
NO_HEADING = 0.1
NO_COURSE = 0.3
MIRRORED = 0.5
BLOCKED = 0.3  # probability of an old course
MAX_VELOCITY_AGE_TICKS = 5  # since the camera last saw the subject
TILT_STD_RAD = 0.17  # of another phone pose, about its x and y axes
HARD_IRON_STD_T = 3e-6  # of another phone, or of an object beside it

Mirror = Callable[[Columns, str, float], FloatArray]
"""Values of a modality (its name) on mirrored paths, from columns and its row period [s]."""


def mask_window_end(mask: MaskArray, probability: float, rng: np.random.Generator) -> MaskArray:
    """Clear the mask (N, ..., T) at the end of a share of the windows, over a random length."""
    count, ticks = mask.shape[0], mask.shape[-1]
    length = rng.integers(1, ticks + 1, count) * (rng.random(count) < probability)
    kept = np.arange(ticks) < (ticks - length)[:, None]
    return np.asarray(mask & kept.reshape(count, *[1] * (mask.ndim - 2), ticks))


def mask_access_points(mask: MaskArray, rng: np.random.Generator) -> MaskArray:
    """Clear the mask (N, A, T) of access points at random, in windows with ranges to several."""
    several = mask.any(2).sum(1) > 1
    lost = rng.random(mask.shape[:2]) < NO_ACCESS_POINT
    return np.asarray(mask & ~(lost & several[:, None])[:, :, None])


def perturb_pose_and_hard_iron(imu: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Tilt phones (N, R, 9) by a random angle and add a random hard-iron offset.

    Masked rows change as well; they do not contribute to any loss.
    """
    count, rows, _ = imu.shape
    tilt = tilts(rng.normal(0.0, TILT_STD_RAD, (count, 2)))
    tilted = (imu.reshape(count, 3 * rows, 3) @ tilt).reshape(imu.shape)  # accel, gyro, mag alike
    tilted[..., 6:] += rng.normal(0.0, HARD_IRON_STD_T, (count, 1, 3)).astype(np.float32)
    return tilted


def tilts(angles: npt.NDArray[np.float64]) -> FloatArray:
    """Return rotations (N, 3, 3) about the x axis, then the y axis, by (N, 2) [rad]."""
    cos, sin = np.cos(angles), np.sin(angles)
    about_x, about_y = np.zeros((2, len(angles), 3, 3))
    about_x[:, 0, 0] = about_y[:, 1, 1] = 1.0
    about_x[:, 1, 1] = about_x[:, 2, 2] = cos[:, 0]
    about_x[:, 2, 1], about_x[:, 1, 2] = sin[:, 0], -sin[:, 0]
    about_y[:, 0, 0] = about_y[:, 2, 2] = cos[:, 1]
    about_y[:, 0, 2], about_y[:, 2, 0] = sin[:, 1], -sin[:, 1]
    return np.asarray(about_y @ about_x, np.float32)


PERTURBATIONS = {'imu': perturb_pose_and_hard_iron}  # of inputs only; targets stay as measured


def _mirror_boxes(columns: Columns, name: str, _: float) -> FloatArray:
    """Reflect boxes (N, T, 5) about the centre column; sizes and depths stay."""
    boxes: FloatArray = columns[name].copy()
    boxes[..., 0] = 2 * columns[CENTRE][:, None] - boxes[..., 0]
    return boxes


def _keep_ranges(columns: Columns, name: str, _: float) -> FloatArray:
    return columns[name]


def _mirror_phones(columns: Columns, name: str, row_period_s: float) -> FloatArray:
    return mirror_imu(columns[name], columns[f'{name}_mask'], row_period_s)


MIRRORS: Mapping[str, Mirror] = {
    'camera': _mirror_boxes, 'ftm': _keep_ranges, 'imu': _mirror_phones}


def mirror_paths(
    columns: Columns, names: Collection[str], row_period_s: float, selected: MaskArray,
    mirrors: Mapping[str, Mirror] = MIRRORS,
) -> Columns:
    """Exchange left and right of `selected` (N,) windows of modalities `names`.

    Subjects, and the pose of their phones, stay as they are; paths are mirrored about the middle
    of the view, which doubles the number of different paths [D]. Nothing is mirrored when one of
    `names` has no mirror, nor where CENTRE is NaN. Masked values change as well; they do not
    contribute to any loss.
    """
    rows = np.flatnonzero(selected & np.isfinite(columns[CENTRE]))
    if not len(rows) or not mirrors.keys() >= set(names):
        return columns
    chosen = {name: values[rows] for name, values in columns.items()}
    mirrored = dict(columns)
    for name in names:
        mirrored[name] = columns[name].copy()
        mirrored[name][rows] = mirrors[name](chosen, name, row_period_s)
    if AP_GEOMETRY in columns:
        mirrored[AP_GEOMETRY] = columns[AP_GEOMETRY].copy()
        mirrored[AP_GEOMETRY][rows, :, 1] *= -1.0
    return mirrored


def augmented_motion_targets(columns: Columns, rng: np.random.Generator) -> MotionTargets:
    """Return motion targets whose context lacks inputs at random; a share of them mirrored."""
    count = len(columns['heading'])
    phone = rng.random(count) >= NO_PHONE
    heading_used = columns['heading_valid'] & phone & (rng.random(count) >= NO_HEADING)
    course_used = course_kept(columns, rng)
    blocked = rng.random(count) < BLOCKED
    course = np.where(blocked[:, None, None], columns['course_late'], columns['course'])
    gait = columns['gait'] * phone[:, None]
    targets = heading_frame_targets(columns, heading_used, course, course_used, gait)
    return mirror_targets(targets, rng.random(count) < MIRRORED)


def course_kept(columns: Columns, rng: np.random.Generator) -> MaskArray:
    """Mask (N,) of subjects whose course is kept; the others train the no-camera case.

    The camera must have seen them in the last MAX_VELOCITY_AGE_TICKS ticks.
    """
    recent = columns['camera_mask'][:, -MAX_VELOCITY_AGE_TICKS:].any(1)
    kept = rng.random(len(columns['course_valid'])) >= NO_COURSE
    return np.asarray(columns['course_valid'] & recent & kept)


def mirror_targets(targets: MotionTargets, selected: MaskArray) -> MotionTargets:
    """Exchange left and right of the `selected` (N,) targets."""
    side = np.stack(
        [np.ones(len(selected)), np.where(selected, -1.0, 1.0)], axis=1).astype(np.float32)
    return replace(
        targets,
        context=np.where(selected[:, None], targets.context * MIRROR_SIGNS, targets.context),
        velocity=targets.velocity * side, future=targets.future * side[:, None])
