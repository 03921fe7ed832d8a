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

"""Offsets of ranges that a twin begins with, from a survey of walks in view of the camera."""

import numpy as np

from utt_ros.geometry.range_survey import RangeSurvey
from utt_ros.twin.range_offsets import ApOffset, PhoneOffset, RangeOffsets


def surveyed_offsets(survey: RangeSurvey) -> RangeOffsets:
    """Return the trend of each access point and, of several phones, the offset of each."""
    (var, both), (_, var_slope) = survey.line_covariance
    stds = np.sqrt(var + survey.offset_errors_m**2), var_slope**0.5
    rows = tuple(
        ApOffset(address, tuple(round(float(number), 2) for number in position),
                 round(float(survey.line[0] + offset), 4), round(float(survey.line[1]), 5),
                 round(float(std), 4), round(float(stds[1]), 5),
                 round(float(np.clip(both / (std * stds[1]), -0.99, 0.99)), 3))
        for address, position, offset, std in zip(
            survey.addresses, survey.positions_m, survey.offsets_m, stds[0], strict=True))
    phones = tuple(
        PhoneOffset(name, '', round(float(offset), 4), round(float(error), 4))
        for name, offset, error in zip(
            survey.names, survey.phone_offsets_m, survey.phone_errors_m, strict=True)
        if len(survey.names) > 1)  # that of a single one is part of the line
    return RangeOffsets(rows, phones)
