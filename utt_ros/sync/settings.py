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

"""Settings of the synchronizer."""

from dataclasses import dataclass

from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting

ASSOCIATIONS = ('labels', 'vifi', 'twin', 'fused')


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """Settings of the synchronizer; docs/synchronizer.md explains how to choose them."""

    lag: float = setting(
        0.02, 'age of the phone samples at their tick [s]',
        low=0.0, high=1.0)
    max_wait: float = setting(
        0.15, 'a tick waits for a phone until any stream is this far past it, but not for a phone '
        'that was silent for as long [s]',
        low=0.01, high=10.0)
    max_gap: float = setting(
        0.07, 'longest gap between two IMU messages that is interpolated [s]',
        low=0.001, high=10.0)
    subject_timeout: float = setting(
        1.0, 'a subject without a measurement for this long has left [s]',
        low=0.1, high=60.0)
    camera_timeout: float = setting(
        0.5, 'virtual ticks replace a camera that is silent for this long [s]',
        low=0.1, high=60.0)
    clock_tolerance: float = setting(
        1.0, 'a stream whose stamps differ by more from the other streams is ignored [s]',
        low=0.05, high=3600.0)
    capacity: int = setting(
        1024, 'buffered messages per stream of a phone', low=64, high=1_000_000)
    max_subjects: int = setting(
        256, 'maximum number of subjects at a time; further ones are refused',
        low=1, high=10_000)
    association: str = setting(
        'labels', f'method to associate boxes with subjects: {", ".join(ASSOCIATIONS)}; labels '
        'always take precedence')
    association_period: float = setting(
        0.5, 'period of association of tracks with phones [s]', low=0.1, high=10.0)
    association_min_probability: float = setting(
        0.5, 'least probability at which a track is assigned to a phone', low=0.0, high=1.0,
        former='association_least')
    association_margin: float = setting(
        2.0, 'log likelihood by which another phone must fit better', low=0.0, high=100.0)
    association_patience: float = setting(
        1.0, 'time for which it must fit better before a track changes its phone [s]',
        low=0.0, high=60.0)
    association_scorers: str = setting(
        '', 'file of pair likelihoods; empty: that of the package, fitted on simulated walks')

    def __post_init__(self) -> None:
        check(self)
        if self.association not in ASSOCIATIONS:
            raise SettingsError(f'association is {self.association!r}: it must be one of '
                                f'{", ".join(ASSOCIATIONS)}')
        if self.max_gap > self.max_wait:
            raise SettingsError(
                f'max_gap is {self.max_gap}: it must be at most max_wait, {self.max_wait}')
