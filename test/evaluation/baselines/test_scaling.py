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

import numpy as np

from utt_ros.evaluation.baselines.scaling import scale_values, stack_examples, step_means


def test_means_leave_out_masked_values() -> None:
    values = np.array([[[1.0], [3.0], [9.0], [9.0]]], np.float32)
    mask = np.array([[True, True, False, False]])
    means, known = step_means(values, mask, 2)
    assert means[0, :, 0].tolist() == [2.0, 0.0]
    assert known[0].tolist() == [True, False]


def test_masked_values_are_scaled_to_zero() -> None:
    values = np.array([[5.0, 0.3]] * 2, np.float32)
    scaled = scale_values('ftm', values, np.array([True, False]))
    assert np.abs(scaled[0]).max() < 10.0
    assert scaled[1].tolist() == [0.0, 0.0]


def test_examples_are_stacked_by_name() -> None:
    stacked = stack_examples([{'a': np.zeros(3)}, {'a': np.ones(3)}])
    assert stacked['a'].tolist() == [[0.0] * 3, [1.0] * 3]
