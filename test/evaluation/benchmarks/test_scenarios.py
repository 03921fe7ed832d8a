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

from pathlib import Path

from utt_ros.evaluation.benchmarks.scenarios import make_scenarios


def test_each_scenario_has_its_pipeline_and_load(tmp_path: Path) -> None:
    scenarios = make_scenarios(3, tmp_path)
    names = {key: [spec.name for spec in scenario.pipeline] for key, scenario in scenarios.items()}
    assert names == {
        'training': ['bench/sync', 'bench/twin'], 'serving': ['bench/sync', 'bench/twin'],
        'naive': ['naive'], 'naive_training': ['naive']}
    assert len(scenarios['training'].beside) == 2
    assert scenarios['serving'].model == ('--model', str(tmp_path))


def test_death_of_a_node_ends_the_measurement(tmp_path: Path) -> None:
    for scenario in make_scenarios(1, tmp_path).values():
        assert not any(spec.respawn for spec in (*scenario.pipeline, *scenario.beside))
