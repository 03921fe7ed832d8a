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

"""A running federation whose nodes are killed, and which is observed for a moment."""

from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks.federation_rig import build_rig, run_rig
from utt_ros.evaluation.benchmarks.killed_nodes import KINDS, kill_nodes, victims
from utt_ros.evaluation.benchmarks.soak import soak

SILENCE_SEC = 60.0  # beside other tests; the long form asks for 5 s on a quiet machine


@pytest.mark.timeout(600)
def test_killed_nodes_come_back_and_leave_nothing(ros_domain: int, tmp_path: Path) -> None:
    rig = build_rig(tmp_path, 2, 900.0, 3)
    with run_rig(rig, tmp_path) as (processes, watch):
        report = kill_nodes(
            rig, processes, watch, 1, baseline_sec=2.0, seed=1, kinds=('twin', 'ftm'))
        watched = soak(rig, processes, watch, 12.0)
    assert [kill.kind for kill in report.kills] == ['twin', 'ftm']
    assert all(0.0 < kill.own_silence_s < SILENCE_SEC for kill in report.kills)
    assert all(kill.back_s < SILENCE_SEC for kill in report.kills)
    assert report.processes[0] == report.processes[1] >= 12
    assert report.segments_left == 0
    assert set(report.baseline_s) == {'area0', 'area1'}
    assert watched.restarted == ()
    assert set(watched.own_mb) == {spec.name for spec in rig.specs if spec.respawn}
    assert all(trend.mean > watched.own_mb[name].mean > 10.0
               for name, trend in watched.rss_mb.items())


def test_every_kind_is_killed_in_every_area_that_has_it(tmp_path: Path) -> None:
    rig = build_rig(tmp_path, 3, 30.0, 3)
    names = list(victims(rig, 6))
    assert len(names) == 6 * len(KINDS)
    nodes = {spec.name for spec in rig.specs}
    assert set(names) == {
        name for name in nodes if name.rpartition('/')[2] in KINDS} >= {'area2/trainer'}
    assert names.count('area0/imu') == names.count('utt/aggregator') == 6
    assert names.count('area1/sync') == 2
