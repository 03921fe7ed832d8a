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

"""Settings of the position baselines, tuned on the validation split: docs/tasks.md."""

from dataclasses import dataclass

from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """Constants of the Kalman filter, the particle filter and the bearing baseline."""

    acceleration: float = setting(
        0.1, 'spectral density of the acceleration in Kalman filters [m^2/s^3]',
        low=1e-6, high=100.0)
    gate: float = setting(
        9.0, 'squared Mahalanobis distance beyond which a measurement counts less', low=1.0)
    range_std: float = setting(
        3.0, 'error of FTM ranges, standard deviation [m]', low=0.01, high=50.0)
    range_offset: float = setting(
        -1.24, 'FTM range less distance at 0 m [m]', low=-20.0, high=20.0)
    range_slope: float = setting(
        0.178, 'FTM range less distance, growth per metre', low=-1.0, high=1.0)
    step_length: float = setting(0.56, 'length of a step [m]', low=0.1, high=2.0)
    step_noise: float = setting(
        0.3, 'error of the walked distance, share of it', low=0.0, high=2.0)
    heading_std: float = setting(
        0.2, 'error of a heading, standard deviation [rad]', low=0.0, high=3.0)
    particles: int = setting(500, 'particles of the particle filter', low=50, high=10_000)

    def __post_init__(self) -> None:
        check(self)
