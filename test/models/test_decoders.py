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

"""Decoders of windows."""

import pytest
import torch

from utt_ros.models.decoders import WindowDecoder
from utt_ros.models.layers import PhysicalScale
from utt_ros.models.settings import ModelSettings

MODEL = ModelSettings(width=8, heads=2, feedforward=16, decoder_layers=2)
SCALE = PhysicalScale((640.0, 0.0, -3e-5), (350.0, 2.0, 1e-5))


@pytest.mark.parametrize(('rows', 'strides'), [
    (30, (4, 4)), (7, (4, 4)), (150, (4, 8)), (1, (2,))])
def test_a_feature_becomes_a_window_of_any_length(rows: int, strides: tuple[int, ...]) -> None:
    window = WindowDecoder(SCALE, rows, strides, MODEL)(torch.randn(2, 8))
    assert window.shape == (2, rows, 3)
    assert window.isfinite().all()


def test_windows_are_in_physical_units() -> None:
    decoder = WindowDecoder(SCALE, 30, (4, 4), MODEL)
    with torch.no_grad():
        decoder.deconvolutions[-1].weight.zero_()
        decoder.deconvolutions[-1].bias.fill_(1.0)
        window = decoder(torch.randn(2, 8))
    torch.testing.assert_close(window, torch.tensor([990.0, 2.0, -2e-5]).expand(2, 30, 3))


@pytest.mark.parametrize('newest', [1, 3, 10, 30])
def test_the_newest_rows_alone_are_those_of_the_whole_window(newest: int) -> None:
    decoder = WindowDecoder(SCALE, 30, (4, 2), MODEL)
    feature = torch.randn(2, 8)
    whole, last = decoder(feature) / SCALE.scale.T, decoder(feature, newest) / SCALE.scale.T
    torch.testing.assert_close(last, whole[:, -newest:], rtol=1e-4, atol=1e-4)


def test_every_row_depends_on_the_feature() -> None:
    decoder = WindowDecoder(SCALE, 30, (4, 4), MODEL)
    first, second = decoder(torch.randn(2, 8)) / SCALE.scale.T
    assert ((first - second).abs().amax(dim=1) > 0).all()
