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

"""Modalities: window layout, scaling and networks of each sensor.

A further modality (lidar, Wi-Fi CSI, ...) is passed to `UnifiedTwin`, or made known to all models
with `register_modality` or an entry point in the group `utt_ros.modalities`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from torch import nn

from utt_ros.errors import ModelError
from utt_ros.models.ap_networks import AccessPointDecoder, AccessPointEncoder
from utt_ros.models.decoders import WindowDecoder
from utt_ros.models.encoders import WindowEncoder
from utt_ros.models.layers import PhysicalScale
from utt_ros.models.settings import ModelSettings
from utt_ros.models.window_statistics import (
    NOMINAL_GRAVITY_MPS2,
    DerivedChannels,
    compass_and_dynamic_acceleration,
    lateral_offset,
    no_derived_channels,
)
from utt_ros.plugins import Registry
from utt_ros.settings import WindowSettings


@dataclass(frozen=True, slots=True)
class Modality:
    """One sensor: its window, its scaling and factories of its networks.

    `offset` and `scale` bring each channel to order 1: about the usual value and deviation for
    people who walk with a phone in the hand [R]. They are constants, not statistics, so that areas
    need not exchange any. Raises ModelError when their lengths differ.
    """

    name: str
    rows: Callable[[WindowSettings], int]
    offset: tuple[float, ...]  # per channel, in its physical unit
    scale: tuple[float, ...]
    encoder: 'NetworkFactory'  # window (N, T_m, F_m), mask (N, T_m) -> feature (N, d)
    decoder: 'NetworkFactory'  # feature (N, d), newest rows or None -> window (N, T_m, F_m)

    def __post_init__(self) -> None:
        if len(self.offset) != len(self.scale):
            raise ModelError(f'modality {self.name!r} has {len(self.offset)} offsets '
                             f'and {len(self.scale)} scales')


NetworkFactory = Callable[[Modality, ModelSettings, WindowSettings], nn.Module]


def window_encoder(
    *strides: int, derived: DerivedChannels = no_derived_channels,
) -> NetworkFactory:
    """Return a factory of `WindowEncoder`s with these strides and derived channels."""
    def make(modality: Modality, model: ModelSettings, window: WindowSettings) -> nn.Module:
        scale = PhysicalScale(modality.offset, modality.scale)
        return WindowEncoder(scale, modality.rows(window), strides, model, derived)
    return make


def window_decoder(
    *strides: int, network: type[WindowDecoder] = WindowDecoder,
) -> NetworkFactory:
    """Return a factory of decoders of a class with these strides."""
    def make(modality: Modality, model: ModelSettings, window: WindowSettings) -> nn.Module:
        scale = PhysicalScale(modality.offset, modality.scale)
        return network(scale, modality.rows(window), strides, model)
    return make


def access_point_encoder(*strides: int) -> NetworkFactory:
    """Return a factory of `AccessPointEncoder`s with these strides."""
    def make(modality: Modality, model: ModelSettings, window: WindowSettings) -> nn.Module:
        scale = PhysicalScale(modality.offset, modality.scale)
        return AccessPointEncoder(
            scale, modality.rows(window), strides, model, period=window.period)
    return make


def _phone_encoder(modality: Modality, model: ModelSettings, window: WindowSettings) -> nn.Module:
    row_s = window.period / window.imu_rows
    derived = partial(compass_and_dynamic_acceleration, row_period_s=row_s)
    return window_encoder(2, 2, derived=derived)(modality, model, window)


BUILTIN = (
    Modality(  # centre x, y [px], depth [m], width, height [px]
        'camera', lambda window: window.ticks,
        offset=(640.0, 350.0, 8.0, 50.0, 110.0), scale=(350.0, 55.0, 4.0, 30.0, 55.0),
        encoder=window_encoder(2, derived=lateral_offset), decoder=window_decoder(4, 4)),
    Modality(  # range and its standard deviation [m]
        'ftm', lambda window: window.ticks,
        offset=(10.0, 0.5), scale=(7.0, 0.35),
        encoder=access_point_encoder(2), decoder=window_decoder(4, 4, network=AccessPointDecoder)),
    Modality(  # accel [m/s^2], gyro [rad/s], mag [T]
        'imu', lambda window: window.ticks * window.imu_rows,
        offset=(0.0, 0.0, NOMINAL_GRAVITY_MPS2, 0.0, 0.0, 0.0, 0.0, 0.0, -2.8e-5),
        scale=(1.0, 1.2, 3.0, 0.6, 0.4, 0.5, 2.2e-5, 2.2e-5, 1e-5),
        encoder=_phone_encoder, decoder=window_decoder(4, 8)),
)
REGISTRY: Registry[Modality] = Registry(
    'modality', 'utt_ros.modalities', {item.name: item for item in BUILTIN}, ModelError)


def register_modality(modality: Modality) -> None:
    """Make a modality known to all models of this process; raises ModelError for a taken name."""
    REGISTRY.register(modality.name, modality)


def modality(name: str) -> Modality:
    """Return a registered modality; raises ModelError for an unknown name."""
    return REGISTRY[name]


def select_modalities(
    names: Iterable[str], further: Iterable[Modality] = (),
) -> dict[str, Modality]:
    """Return modalities by name: those of `further`, which come first, or registered ones.

    Raises ModelError for an unknown name.
    """
    own = {item.name: item for item in further}
    return {name: own[name] if name in own else REGISTRY[name] for name in names}
