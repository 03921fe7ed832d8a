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

"""Offsets between the clocks of phones and the frames, from synchronised copies of raw rows.

The release holds raw rows whose stamps are seconds off, and arrays in which its authors corrected
them with a constant per phone and day [S: vitag, FTM_sync1_all.py, IMU_sync1_all.py].
"""

from collections import Counter

import numpy as np

from utt_ros.types import Array

MAX_OFFSET_S = 20.0
MIN_OFFSET_S = 0.5  # above the error of the estimate: half the time between two rangings
BIN_S = 0.2
MIN_MATCHES = 5
MIN_MATCHED = 0.5  # part of the matching values that one offset must explain
MAX_SPAN_DIFFERENCE_S = 0.5


def estimate_offset(
    synced_s: Array, synced: Array, raw_s: Array, raw: Array,
) -> float | None:
    """Estimate the time to add to raw times (R,) so that equal values (R, D) and (S, D) coincide.

    Values that raw rows repeat are left out. Return None when no offset explains at least half of
    the others.
    """
    repeated = Counter(map(tuple, np.round(raw, 3).tolist()))
    times = {tuple(row): time for time, row in
             zip(raw_s.tolist(), np.round(raw, 3).tolist(), strict=True)
             if repeated[tuple(row)] == 1}
    pairs = zip(synced_s.tolist(), map(tuple, np.round(synced, 3).tolist()), strict=True)
    offsets = np.array([time - times[row] for time, row in pairs if row in times])
    offsets = offsets[np.abs(offsets) <= MAX_OFFSET_S]
    if len(offsets) < MIN_MATCHES:
        return None
    bins, counts = np.unique(np.round(offsets / BIN_S), return_counts=True)
    near = offsets[np.abs(offsets - BIN_S * bins[counts.argmax()]) <= 2 * BIN_S]
    if len(near) < max(MIN_MATCHES, MIN_MATCHED * len(offsets)):
        return None
    return float(np.median(near))


def compare_spans(synced_s: Array, raw_s: Array) -> float | None:
    """Return by how much raw times begin and end earlier than synchronised ones.

    None when both differ by another time, so that the clock need not be the cause.
    """
    if not len(synced_s) or not len(raw_s):
        return None
    begin, end = synced_s[0] - raw_s[0], synced_s[-1] - raw_s[-1]
    alike = abs(begin - end) <= MAX_SPAN_DIFFERENCE_S
    return float(begin + end) / 2 if alike else None
