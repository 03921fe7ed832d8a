"""Layers that encoders and decoders are made of."""

import pytest
import torch
import torch.nn.functional as F

from utt_ros.models.layers import Deconvolution, PhysicalScale


@pytest.mark.parametrize('stride', [2, 4, 5, 8])
def test_a_deconvolution_is_that_of_torch(stride: int) -> None:
    layer = Deconvolution(6, 3, stride)
    rows = torch.randn(2, 7, 6)
    expected = F.conv_transpose1d(
        rows.transpose(1, 2), layer.weight, layer.bias, stride, stride // 2)
    torch.testing.assert_close(layer(rows), expected.transpose(1, 2))


def test_a_deconvolution_speaks_in_physical_units() -> None:
    layer, unit = Deconvolution(6, 2, 4), PhysicalScale((5.0, -1e-5), (2.0, 1e-6))
    rows = torch.randn(2, 7, 6)
    offset, scale = torch.tensor([5.0, -1e-5]), torch.tensor([2.0, 1e-6])
    torch.testing.assert_close((layer(rows, unit) - offset) / scale, layer(rows))
