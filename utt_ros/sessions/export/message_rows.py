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

"""Rows of export tables from serialized messages of one topic."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from utt_ros import cdr
from utt_ros.sessions.export.export_table import COVARIANCE, Cells
from utt_ros.sessions.message_types import read_message
from utt_ros.types import BOX_FIELDS, CAMERA_CHANNELS, IMU_CHANNELS, NS_PER_S, stamp_to_ns

METRICS = 'utt_ros/msg/TrainingMetrics'
AP_STRING = 2  # of the strings of an FtmRange
PLANE_COVARIANCE = (0, 1, 7)  # xx, xy, yy in a 6 x 6 covariance
POSITION_DIGITS = 6  # decimals of numbers that were float32


def inertial_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    stamps_ns, numbers = cdr.read_messages(cdr.IMU, messages)
    values = np.concatenate([numbers['accel'], numbers['gyro']], axis=1)
    return {'stamp_ns': stamps_ns, **dict(zip(IMU_CHANNELS[:6], values.T, strict=True))}


def magnetic_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    stamps_ns, numbers = cdr.read_messages(cdr.MAGNETIC_FIELD, messages)
    return {'stamp_ns': stamps_ns,
            **dict(zip(IMU_CHANNELS[6:], numbers['field'].T, strict=True))}


def ranges_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    stamps_ns, numbers = cdr.read_messages(cdr.FTM_RANGE, messages)
    values = {f'{field}_{unit}': _decimal(numbers[field])
              for field, unit in (('range', 'm'), ('range_std', 'm'), ('rssi', 'dbm'))}
    return {'stamp_ns': stamps_ns, **values,
            'ap': cdr.read_string_column(cdr.FTM_RANGE, messages, AP_STRING),
            'attempted': numbers['attempted'].astype(np.int64),
            'successful': numbers['successful'].astype(np.int64)}


def truth_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    stamps_ns, numbers = cdr.read_messages(cdr.ODOMETRY, messages)
    x, y, z, w = numbers['orientation'].T
    return {'stamp_ns': stamps_ns, **_plane(numbers),
            'heading_rad': np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))}


def positions_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    stamps_ns, numbers = cdr.read_messages(cdr.POSE, messages)
    covariance = numbers['covariance'][:, PLANE_COVARIANCE].T
    return {'stamp_ns': stamps_ns, **_plane(numbers), **_covariance(covariance)}


def boxes_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    frames = _decode(messages, 'utt_ros/msg/Tracks')
    tracks = list(chain.from_iterable(frame.tracks for frame in frames))
    counts = [len(frame.tracks) for frame in frames]
    values = {name: _decimal([getattr(track, field) for track in tracks]) for name, field in (
        *zip(CAMERA_CHANNELS, BOX_FIELDS, strict=True), ('confidence', 'confidence'))}
    return {'stamp_ns': np.repeat(_stamps(frames), counts),
            'track_id': _texts(track.track_id for track in tracks),
            'subject': _texts(track.subject for track in tracks), **values}


def people_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    people = list(chain.from_iterable(
        message.people for message in _decode(messages, 'utt_ros/msg/People')))
    covariance = np.array([each.covariance for each in people]).reshape(-1, 4)
    return {'stamp_ns': _seconds_to_ns(each.stamp for each in people),
            'area': _texts(each.area for each in people),
            'person': _texts(each.id for each in people),
            'areas': _texts('+'.join(each.areas) for each in people),
            'map_x_m': _decimal([each.x for each in people]),
            'map_y_m': _decimal([each.y for each in people]),
            'map_z_m': _decimal([each.z for each in people]),
            **_covariance(covariance[:, [0, 1, 3]].T)}


def futures_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    paths = _decode(messages, 'nav_msgs/msg/Path')
    counts = [len(path.poses) for path in paths]
    poses = list(chain.from_iterable(path.poses for path in paths))
    begins_ns = np.repeat(_stamps(paths), counts)
    places = [pose.pose.position for pose in poses]
    return {'stamp_ns': begins_ns, 'ahead_s': (_stamps(poses) - begins_ns) / NS_PER_S,
            'x_m': _decimal([place.x for place in places]),
            'y_m': _decimal([place.y for place in places])}


def twins_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    states = _decode(messages, 'utt_ros/msg/TwinStatus')
    integers = {name: np.array([getattr(state, name) for state in states], np.int64)
                for name in ('round', 'ticks', 'ticks_lost', 'predictions')}
    return {'stamp_ns': _stamps(states), **integers,
            'model_ready': np.array([state.model_ready for state in states], bool),
            'compute_p50_ms': _decimal([state.compute_p50 for state in states]),
            'compute_p99_ms': _decimal([state.compute_p99 for state in states]),
            'note': _texts(state.note for state in states)}


def metrics_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    reports = _decode(messages, METRICS)
    counts = [min(len(report.operations), len(report.nmse_var)) for report in reports]
    repeated = {name: np.repeat(np.array([getattr(report, name) for report in reports], np.int64),
                                counts) for name in ('round', 'windows', 'held_out', 'steps')}
    return {'stamp_ns': np.repeat(_stamps(reports), counts), **repeated,
            'loss': np.repeat(_decimal([report.loss for report in reports]), counts),
            'operation': _texts(_first(counts, [report.operations for report in reports])),
            'nmse_var': _decimal(_first(counts, [report.nmse_var for report in reports]))}


def gates_rows(messages: Sequence[bytes]) -> dict[str, Any]:
    reports = _decode(messages, METRICS)
    counts = [min(len(report.modalities), len(report.gate_weights)) for report in reports]
    return {'stamp_ns': np.repeat(_stamps(reports), counts),
            'round': np.repeat(np.array([report.round for report in reports], np.int64), counts),
            'modality': _texts(_first(counts, [report.modalities for report in reports])),
            'gate_weight': _decimal(
                _first(counts, [report.gate_weights for report in reports]))}


def _decode(messages: Sequence[bytes], kind: str) -> list[Any]:
    return [read_message(message, kind) for message in messages]


def _first(counts: Iterable[int], lists: Iterable[Sequence[Any]]) -> list[Any]:
    """Chain the first items of each list, as many as its count."""
    return [item for count, items in zip(counts, lists, strict=True) for item in items[:count]]


def _plane(numbers: cdr.Numbers) -> dict[str, Any]:
    return {'x_m': _decimal(numbers['position'][:, 0]), 'y_m': _decimal(numbers['position'][:, 1])}


def _covariance(columns: Cells) -> dict[str, Any]:
    return dict(zip((column.name for column in COVARIANCE), columns, strict=True))


def _decimal(values: Any) -> Cells:
    """Round float32 values to their digits, so that 0.1 is written as 0.1."""
    return np.round(np.asarray(values, np.float64), POSITION_DIGITS)


def _texts(texts: Iterable[str]) -> Cells:
    return np.array(list(texts), np.str_)


def _stamps(messages: Sequence[Any]) -> Cells:
    return _seconds_to_ns(message.header.stamp for message in messages)


def _seconds_to_ns(stamps: Iterable[Any]) -> Cells:
    return np.array([stamp_to_ns(stamp) for stamp in stamps], np.int64)
