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
import pytest
import torch

from utt_ros.evaluation.baselines.scaling import stack_examples
from utt_ros.evaluation.baselines.vitag import (
    VitagMatcher,
    XTranslator,
    candidate_frames,
    masked_error,
    vitag_examples,
    vitag_loss,
)


def rows():
    return {'camera': torch.randn(2, 10, 6), 'ftm': torch.randn(2, 10, 3),
            'imu': torch.randn(2, 10, 10)}


@pytest.mark.parametrize(('version', 'depends'), [('as_released', False), ('repaired', True)])
def test_only_the_repaired_translator_reads_ftm(version, depends) -> None:
    torch.manual_seed(0)
    net, windows = XTranslator(version), rows()
    before = net(windows, ('camera', 'ftm', 'imu'), ('ftm',))['ftm']
    windows['ftm'] = windows['ftm'] + 1.0
    after = net(windows, ('camera', 'ftm', 'imu'), ('ftm',))['ftm']
    assert torch.equal(before, after) is not depends


def test_every_modality_is_written_in_its_own_shape() -> None:
    made = XTranslator('repaired')(rows(), ('camera',), ('camera', 'ftm', 'imu'))
    assert {name: tuple(values.shape) for name, values in made.items()} == {
        'camera': (2, 10, 5), 'ftm': (2, 10, 2), 'imu': (2, 10, 9)}


def test_masked_frames_do_not_count_in_the_error() -> None:
    window = torch.zeros(1, 2, 3)
    window[0, 0] = torch.tensor([1.0, 3.0, 1.0])  # seen: errors 1 and 9
    window[0, 1] = torch.tensor([100.0, 100.0, 0.0])  # not seen
    assert masked_error(torch.zeros(1, 2, 2), window).item() == pytest.approx(5.0)


def test_windows_of_ten_frames_end_with_the_newest(seen) -> None:
    frames = candidate_frames(seen)
    assert frames['camera'].shape == (3, 3, 10, 6)
    assert np.array_equal(frames['camera'][:, -1, -1, 5] > 0, seen.boxes_mask[:, -1])


def test_costs_are_one_per_track_and_phone_and_finite(seen) -> None:
    torch.manual_seed(0)
    cost = VitagMatcher(XTranslator('repaired'), {'ftm': 1.0, 'camera': 1.0}).cost(seen)
    assert cost.shape == (3, 2)
    assert np.isfinite(cost).all()


def test_distances_are_those_between_translation_and_measurement(seen) -> None:
    torch.manual_seed(0)
    net = XTranslator('repaired')
    parts = VitagMatcher(net, {}).parts(seen.last(10))
    frames = {name: torch.from_numpy(values)
              for name, values in candidate_frames(seen.last(10)).items()}
    with torch.no_grad():
        made = net({'camera': frames['camera'][:, 0]}, ('camera',), ('ftm',))['ftm']
    mask = frames['ftm'][1, 0, :, 2] > 0
    error = (made[2, mask] - frames['ftm'][1, 0, mask, :2]).square().mean().sqrt()
    assert parts['ftm'][2, 1] == pytest.approx(error.item(), rel=1e-5)


def test_the_loss_reaches_every_weight(seen) -> None:
    net = XTranslator('repaired')
    batch = stack_examples(vitag_examples(seen, [0, 1, 0]))
    loss = vitag_loss(net, {name: torch.from_numpy(values) for name, values in batch.items()})
    torch.autograd.backward(loss)
    assert all(weight.grad is not None and weight.grad.isfinite().all()
               for weight in net.parameters())
