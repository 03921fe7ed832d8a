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

"""A simulated area through the offline scoring of the demonstration."""

from math import isfinite

import numpy as np
import pytest

from utt_ros.demo.held_out import nmse_by_checkpoint, untrained_positions
from utt_ros.demo.position_scores import score_positions, summarize_scores
from utt_ros.demo.scenes import find_demo_areas
from utt_ros.errors import SessionError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.sessions.session_bags import read_session, write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings


def initial():
    model, shape = ModelSettings(), WindowSettings()
    return Checkpoint('f', 0, dump_config(model, shape), initial_weights(model, shape, 0))


@pytest.fixture(scope='module')
def area(tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo')
    for planned in plan_sessions(1, 2.0, 3, [])[:2]:
        settings = planned.area.settings
        write_area(settings, folder / 'in' / settings.area)
        write_session(
            simulate_session(planned), settings, folder / 'in' / settings.area / planned.name)
    found, = find_demo_areas(folder / 'in', folder / 'out')
    return found


def test_every_operation_of_an_area_gets_a_number_per_model(area):
    first, again = nmse_by_checkpoint([initial(), initial()], area)
    assert first == again
    assert {'transfer:imu->camera', 'merge:camera+ftm->imu', 'split:ftm->camera+imu'} <= set(first)
    assert all(isfinite(value) and value > 0.5 for value in first.values())


def test_untrained_twin_locates_people_in_view_of_the_camera(area):
    found, = untrained_positions(initial(), area)
    assert np.array_equal(np.unique(found.received_ns), [0])
    scores = score_positions(found, read_session(area.test[0]), use_camera=True)
    summary = summarize_scores(scores)
    assert summary['camera']['n'] > 300
    assert summary['camera']['median'] < 0.3


def test_sessions_shorter_than_a_window_are_refused_with_their_area(area):
    model, shape = ModelSettings(), WindowSettings(horizon=512)
    long = Checkpoint('f', 0, dump_config(model, shape), initial_weights(model, shape, 0))
    with pytest.raises(SessionError, match=r"no session of area 'area0' has 54\.2 s"):
        nmse_by_checkpoint([long], area)
