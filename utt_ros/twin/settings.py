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

"""Settings of a twin: expected motion of people and errors of compasses and ranges."""

from dataclasses import dataclass

from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class ParticleFilterSettings:
    """Motion and error models; defaults were chosen on recorded walks, see docs/belief.md."""

    particles: int = setting(600, 'particles per subject', low=50, high=10_000)
    max_subjects: int = setting(
        64, 'subjects at a time; further ones get no position', low=1, high=1000)
    max_gap: float = setting(
        2.0, 'a subject that was absent for longer starts anew [s]', low=0.1, high=60.0)
    walk_std: float = setting(
        0.9, 'standard deviation of the velocity of a random walk, without a model [m/s]',
        low=0.1, high=5.0)
    walk_tau: float = setting(3.0, 'correlation time of that velocity [s]', low=0.1, high=60.0)
    velocity_std_floor: float = setting(
        0.45, 'least standard deviation of velocities from the model [m/s]', low=0.0, high=5.0)
    velocity_tau: float = setting(
        1.5, 'correlation time of errors of these velocities [s]', low=0.1, high=60.0)
    heading_std: float = setting(
        0.3, 'standard deviation of compass errors [rad]', low=0.0, high=3.0)
    heading_tau: float = setting(
        20.0, 'correlation time of compass errors [s]', low=0.1, high=3600.0)
    range_bias_std: float = setting(
        1.4, 'standard deviation of the slowly varying bias of FTM ranges [m]', low=0.0, high=50.0)
    range_bias_tau: float = setting(
        4.0, 'correlation time of that bias [s]', low=0.1, high=600.0)
    range_std: float = setting(
        1.0, 'noise of single FTM ranges, scale of a Student distribution [m]',
        low=0.01, high=50.0)
    box_error: float = setting(
        0.0, 'error of the centre and size of boxes, in addition to 1.5 % of their height [px]',
        low=0.0, high=100.0)
    body_spread: float = setting(
        1.0, "allowance for differences in people's heights and bodies, and for the error of the "
        "camera's pitch, relative to the usual ones", low=0.0, high=10.0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def has_other_box_errors(self) -> bool:
        """Whether errors of boxes are others than the usual ones of CameraModel."""
        return self.box_error > 0 or self.body_spread != 1


@dataclass(frozen=True, slots=True)
class TwinSettings:
    """Settings of the twin node, beside filter, area and window."""

    lag: float = setting(
        0.02, "age of a tick's newest IMU row; that of the synchronizer [s]", low=0.0, high=1.0)
    publish_tf: bool = setting(
        True, 'publish a frame of each subject on /tf, where tf2_msgs is installed')
    hand_over: float = setting(
        5.0, 'age up to which the belief of another area begins that about a subject who is new '
        'here; 0: none does, and none is published [s]', low=0.0, high=60.0)
    range_offsets: str = setting(
        '', 'file written by `utt calibrate access-points`; empty: none')
    state_dir: str = setting('', 'folder of range offsets that were learned; empty: none')

    def __post_init__(self) -> None:
        check(self)
