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

"""Communication cost of data and models: bytes, and seconds at a stated link rate."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from utt_ros.training.recordings import Recordings

LINK_BPS = 50e6  # of each area's own link to the server, in both directions [bit/s] [R]


def raw_bytes(data: Recordings, modalities: Iterable[str]) -> dict[str, int]:
    """Return the size of each area's train split as measured: values and stamps."""
    wanted = set(modalities)
    sizes = dict.fromkeys(data.areas, 0)
    for item in data.of('train'):
        arrays: list[Any] = []
        if item.session.frames is not None and 'camera' in wanted:
            arrays += [item.session.frames.stamps_ns, item.session.frames.boxes]
        for phone in item.session.phones.values():
            arrays += [phone.ftm_stamps_ns, phone.ftm] if 'ftm' in wanted else []
            arrays += [phone.inertial_stamps_ns, phone.inertial, phone.magnetic_stamps_ns,
                       phone.magnetic] if 'imu' in wanted else []
        sizes[item.area.area] += sum(array.nbytes for array in arrays)
    return sizes


def mapping_cost(training: Mapping[str, Any]) -> dict[str, float]:
    """Return the cost of a federated mapping, from its card: areas in parallel, on own links."""
    computed = float(np.sum(training['round_slowest_s']))
    moved = float(np.sum(training['bytes_slowest'])) + training['bytes_final']
    payloads = np.sum(training['bytes_down']) + np.sum(training['bytes_up'])
    return {'time_s': computed + 8.0 * moved / LINK_BPS,
            'compute_s': float(training['compute_s']),
            'bytes': float(payloads + training['areas'] * training['bytes_final'])}


def central_cost(training: Mapping[str, Any], uploads: Mapping[str, int]) -> dict[str, float]:
    """Return the cost of parallel uploads of raw data, central training and the last model."""
    moved = max(uploads.values()) + training['bytes_final']
    computed = float(training['train_s'])  # without aggregation
    return {'time_s': computed + 8.0 * moved / LINK_BPS,
            'compute_s': computed,
            'bytes': float(sum(uploads.values()) + len(uploads) * training['bytes_final'])}
