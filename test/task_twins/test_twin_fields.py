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

"""Records of task twins from objects with the fields of their message."""

from types import SimpleNamespace

import numpy as np
import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.twin_fields import twin_from_fields

FIELDS = {
    'id': 'hall_position_2', 'area': 'hall', 'task': 'position', 'sources': ['imu'],
    'federation': 'fed', 'round': 3, 'checksum': '0' * 64, 'file': 'hall_position_2.safetensors',
    'operation': 'transfer', 'parents': ['hall_position'], 'replaces': '', 'windows': np.uint64(7),
    'data_fingerprint': '', 'judged_in': 'hall', 'judged_windows': 5, 'channels': ['range_m'],
    'nmse': np.array([0.5]), 'std': np.array([np.nan]), 'status': 'serving', 'pinned': False,
    'created': SimpleNamespace(sec=2, nanosec=5)}


def test_arrays_of_numpy_are_plain_numbers_and_unknown_errors_are_left_out():
    twin = twin_from_fields(SimpleNamespace(**FIELDS))
    assert (twin.id, twin.windows, twin.created_ns) == ('hall_position_2', 7, 2_000_000_005)
    assert (twin.nmse, twin.std) == ({'range_m': 0.5}, {})


@pytest.mark.parametrize(('change', 'text'), [
    ({'nmse': np.array([])}, 'nmse of .* has 0 values'), ({'status': 'idle'}, 'idle')])
def test_invalid_fields_are_refused(change, text):
    with pytest.raises(TwinError, match=text):
        twin_from_fields(SimpleNamespace(**FIELDS | change))
