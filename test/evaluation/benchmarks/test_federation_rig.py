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

"""Files and processes of the rig; it runs in test_killed_nodes."""

from pathlib import Path

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks import federation_rig
from utt_ros.evaluation.benchmarks.federation_rig import FederationRig, build_rig, run_rig
from utt_ros.sessions.session_bags import read_session


def test_rig_has_an_area_of_devices_and_areas_of_recordings(tmp_path: Path) -> None:
    rig = build_rig(tmp_path, 2, 30.0, 3)
    assert rig.live_area == 'area0'
    assert len(rig.phones['area1']) == federation_rig.AREA_PHONES
    names = [spec.name for spec in rig.specs]
    assert {'utt/aggregator', 'area0/camera', 'area0/ftm', 'area0/imu', 'area1/player'} <= {*names}
    assert 'area0/player' not in names
    assert 'area1/imu' not in names
    assert next(spec for spec in rig.specs if spec.name == 'devices').after in names
    assert tuple(read_session(tmp_path / 'area1' / 'walk').phones) == rig.phones['area1']


def test_a_federation_that_never_predicts_is_an_error(
    ros_domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(federation_rig, 'READY_SEC', 0.2)
    with (pytest.raises(UttError, match=r"no predictions of \['hall'\]"),
          run_rig(FederationRig((), {'hall': ('anna',)}, 'hall'), tmp_path)):
        pass
