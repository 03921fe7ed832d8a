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

"""Areas of recordings as nodes of Flower."""

from pathlib import Path

import pytest

pytest.importorskip('flwr.app', reason='the extra `flower` is not installed')

from flwr.app import Context, RecordDict

from utt_ros.errors import SettingsError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.server import to_global_model
from utt_ros.flower.area_client import RecordedAreas
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.settings import WindowSettings

SMALL = ModelSettings(width=8, heads=2, feedforward=8)


def node(config: dict[str, object], **run: object) -> Context:
    return Context(run_id=1, node_id=1, node_config=config, state=RecordDict(), run_config=run)


def test_node_has_the_area_of_its_configuration_or_of_its_partition(
    sessions: Path, tmp_path: Path,
) -> None:
    folders = {'data': str(sessions), 'cache': str(tmp_path)}
    source = RecordedAreas()
    assert source.area(node({'area': 'area1', **folders})) == 'area1'
    assert source.area(node({'partition-id': 1}, **folders)) == 'area1'
    for wrong, error in (
            ({'area': 'north'}, "area is 'north': area0, area1 have recordings"),
            ({}, 'area is missing'), ({'partition-id': 2}, 'there are 2 areas: none for node 2')):
        with pytest.raises(SettingsError, match=error):
            source.area(node(wrong, **folders))
    with pytest.raises(SettingsError, match='data is missing'):
        source.area(node({'area': 'area1'}))


def test_learner_is_that_of_the_model_and_of_the_modalities_of_the_area(
    sessions: Path, tmp_path: Path,
) -> None:
    source = RecordedAreas(sessions, tmp_path)
    for window, error in ((WindowSettings(), ''), (WindowSettings(ticks=20), 'the model is for')):
        model = to_global_model(Checkpoint('f', 0, dump_config(SMALL, window), {}))
        if error:
            with pytest.raises(SettingsError, match=error):
                source.learner(node({'area': 'area1'}), model)
        else:
            learner = source.learner(node({'area': 'area1'}), model)
            assert learner.twin.settings == SMALL
            assert learner.modalities == ('ftm', 'imu')  # it has no camera
            assert learner.window_count > 0
