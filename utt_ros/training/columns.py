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

"""Columns of training examples: arrays of equal length, by name."""

from typing import Any

import numpy as np
import numpy.typing as npt

CENTRE = 'centre_px'  # (N,) image column about which paths can be mirrored; NaN: not mirrored

Columns = dict[str, npt.NDArray[Any]]
"""A modality's values under its name, its mask under '<name>_mask', and the fields of MotionLabels
and of StrideHarmonics."""


def take(columns: Columns, rows: npt.NDArray[np.intp] | slice) -> Columns:
    """Select rows of every column."""
    return {name: values[rows] for name, values in columns.items()}
