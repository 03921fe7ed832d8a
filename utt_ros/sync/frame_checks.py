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

"""Checks of camera frames before they wait for their tick."""

from collections.abc import Callable, Sequence

from utt_ros import sensor_limits as limits
from utt_ros.errors import MeasurementError
from utt_ros.sync.association_types import Tracks
from utt_ros.types import CAMERA_CHANNELS, FloatArray


def check_frame_shape(
    boxes: FloatArray, subjects: Sequence[str], track_ids: Sequence[str], confidence: FloatArray,
) -> None:
    """Raise MeasurementError unless boxes are (N, 5) and the others N each."""
    lengths = (len(boxes), len(subjects), len(track_ids), len(confidence))
    if len(set(lengths)) > 1 or boxes.ndim != 2 or boxes.shape[1] != len(CAMERA_CHANNELS):
        raise MeasurementError(
            f'boxes {boxes.shape} with {lengths[1]} subjects, {lengths[2]} track ids and '
            f'{lengths[3]} confidences: they must be (N, 5) and N each')


def drop_invalid_boxes(frame: Tracks, count: Callable[[str, str], object]) -> Tracks:
    """Drop boxes outside the limits and labels that are not valid names.

    `count` takes the counter and a remark of each offence.
    """
    finite, within = limits.check_boxes(frame.boxes)
    keep, subjects = [], list(frame.subjects)
    for box, subject in enumerate(subjects):
        if not (finite[box] and within[box]):
            name = 'out_of_range' if finite[box] else 'not_finite'
            count(name, f'box {frame.boxes[box].tolist()} of {subject!r}')
            continue
        keep.append(box)
        if not subject:
            count('boxes_without_subject', 'a box without a label')
        elif not limits.is_name(subject):
            count('bad_name', f'{subject[:limits.MAX_SUBJECT_NAME_LENGTH]!r} of a box')
            subjects[box] = ''
    return Tracks(
        frame.stamp_ns, frame.boxes[keep], tuple(subjects[box] for box in keep),
        tuple(frame.track_ids[box] for box in keep), frame.confidence[keep])
