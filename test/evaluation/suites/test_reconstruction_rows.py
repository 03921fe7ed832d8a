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

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from utt_ros.evaluation.baselines.vifit import FRAMES
from utt_ros.evaluation.suites import reconstruction_rows
from utt_ros.evaluation.suites.reconstruction_rows import window_chains
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.training.recordings import RecordedSequence, Recordings

WINDOW = WindowSettings()


@pytest.fixture(scope='module')
def study():
    sequences = []
    for plan, split in zip(plan_sessions(1, 1.0, seed=24), ('train', 'val', 'test'), strict=True):
        session = simulate_session(plan)
        sequences.append(RecordedSequence(
            plan.area.settings, plan.name, split,
            tuple(synchronize(session, windows=WINDOW)), session))
    return SimpleNamespace(data=Recordings(tuple(sequences), WINDOW, ''), split='test')


def test_windows_of_a_chain_begin_with_a_box_and_share_one_frame(study) -> None:
    chains = window_chains(study.data.recordings[0], study, FRAMES - 1)
    assert any(len(chain) > 1 for chain in chains.values())
    for chain in chains.values():
        assert all(item['seen'][0, 0] for item in chain)
        for earlier, later in pairwise(chain):
            np.testing.assert_array_equal(earlier['true'][0, -1], later['true'][0, 0])


def test_rows_compare_vifit_with_holding_the_first_frame(study, monkeypatch) -> None:
    monkeypatch.setattr(reconstruction_rows, 'fit_network', lambda *_, **__: None)
    monkeypatch.setattr(
        reconstruction_rows, 'predict_boxes', lambda _, rows: rows['true'])  # a perfect network
    rows = {(method, metric): (value, windows) for method, metric, value, windows
            in reconstruction_rows.reconstruction_rows(study, 0)}
    assert rows['vifit', 'iou'][0] == pytest.approx(1.0)
    assert rows['vifit', 'depth_mae_m'][0] == 0.0
    assert 0.0 < rows['first_frame', 'iou'][0] < 1.0
    assert rows['vifit', 'iou'][1] == rows['first_frame', 'iou'][1] > 0
