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

"""Robust rules: honest areas alone decide, tensor by tensor."""

import numpy as np
import pytest

from utt_ros.federation.aggregation import AggregationRule, Contribution
from utt_ros.federation.robust_rules import (
    FlTrust,
    coordinate_median,
    geometric_median,
    multi_krum,
    trimmed_mean,
)

BEGIN = {'encoders.camera.w': np.zeros((4, 4), np.float32),
         'encoders.ftm.w': np.zeros(6, np.float32), 'motion.w': np.ones(3, np.float32)}
TRAINED = ('encoders.camera.w', 'encoders.ftm.w')
RULES = [trimmed_mean, coordinate_median, geometric_median, multi_krum]


def honest(number: int, names: tuple[str, ...] = TRAINED) -> Contribution:
    rng = np.random.default_rng(number)
    return Contribution(f'area{number}', {
        name: (1.0 + 0.1 * rng.standard_normal(BEGIN[name].shape)).astype(np.float32)
        for name in names}, 10)


def hostile(number: int) -> Contribution:
    return Contribution(f'evil{number}', {
        name: np.full_like(BEGIN[name], -80.0 - number) for name in TRAINED}, 1_000_000)


@pytest.mark.parametrize('rule', RULES)
def test_two_hostile_of_eight_do_not_move_a_robust_rule(rule: AggregationRule) -> None:
    following = rule([*map(honest, range(6)), hostile(0), hostile(1)], BEGIN)
    for name in TRAINED:
        np.testing.assert_allclose(following[name], 1.0, atol=0.25)


@pytest.mark.parametrize('rule', RULES)
def test_a_tensor_is_taken_from_the_areas_that_sent_it_and_others_stay(
    rule: AggregationRule,
) -> None:
    following = rule([honest(0), honest(1, ('encoders.ftm.w',))], BEGIN)
    np.testing.assert_allclose(
        following['encoders.camera.w'], honest(0).tensors['encoders.camera.w'], atol=1e-6)
    np.testing.assert_array_equal(following['motion.w'], BEGIN['motion.w'])
    assert all(item.dtype == np.float32 for item in following.values())


@pytest.mark.parametrize('rule', RULES)
def test_one_area_is_its_own_aggregate(rule: AggregationRule) -> None:
    following = rule([honest(0)], BEGIN)
    np.testing.assert_allclose(
        following['encoders.ftm.w'], honest(0).tensors['encoders.ftm.w'], atol=1e-6)


def test_a_trimmed_mean_equals_the_mean_of_the_middle_values() -> None:
    updates = [Contribution(f'a{n}', {'motion.w': np.full(3, value, np.float32)}, 1)
               for n, value in enumerate([1.0, 2.0, 4.0, 100.0])]
    np.testing.assert_allclose(trimmed_mean(updates, BEGIN)['motion.w'], 3.0)
    np.testing.assert_allclose(coordinate_median(updates, BEGIN)['motion.w'], 3.0)


def test_fltrust_follows_areas_that_agree_with_the_root_at_its_norm() -> None:
    root = dict(honest(99).tensors)
    following = FlTrust(lambda _: root)([honest(0), hostile(0), hostile(1)], BEGIN)
    for name in TRAINED:
        np.testing.assert_allclose(following[name], 1.0, atol=0.35)


def test_fltrust_trims_parts_that_the_root_did_not_train() -> None:
    rule = FlTrust(lambda _: {'encoders.ftm.w': honest(99).tensors['encoders.ftm.w']})
    updates = [honest(number) for number in range(3)]
    np.testing.assert_array_equal(
        rule(updates, BEGIN)['encoders.camera.w'],
        trimmed_mean(updates, BEGIN)['encoders.camera.w'])
