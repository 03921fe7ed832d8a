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

import numpy as np
import onnx
import pytest

from utt_ros.errors import ModelError
from utt_ros.evaluation.benchmarks.hostile_graphs import (
    ATTACKS_BY_COST,
    ATTACKS_BY_OUTPUT,
    ATTACKS_BY_SCHEMA,
    RAW_ATTACKS,
    hostile_graph,
)
from utt_ros.models.fusors import FUSORS
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.task_twin_export import export_task_twin
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import LIVE_OUTPUTS, NEWEST_OUTPUTS
from utt_ros.twin.graph_schema import MAX_GRAPH_BYTES, check_graph, read_graph
from utt_ros.twin.onnx_model import OnnxModel

WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)
SMALL = {'width': 8, 'heads': 2, 'feedforward': 8}
READS_ALL = ModelSettings(**SMALL, access_points_read='all')


def check(payload: bytes, outputs=LIVE_OUTPUTS, window=WINDOW) -> None:
    check_graph(read_graph(payload), window, outputs)


@pytest.mark.parametrize('settings', [
    *({'fusor': name} for name in FUSORS.names()), {'modalities': ('imu',)},
    {'modalities': ('ftm', 'imu')}, {'encoder_layers': 3, 'decoder_layers': 2}], ids=str)
def test_what_is_exported_obeys_the_schema(settings):
    check(export_onnx(UnifiedTwin(ModelSettings(**{**SMALL, **settings}), WINDOW)))


@pytest.mark.parametrize(('sources', 'target'), [
    (('camera',), 'imu'), (('ftm', 'imu'), 'camera'), (('camera', 'imu'), 'ftm')])
def test_exported_task_twins_obey_the_schema(sources, target):
    twin = UnifiedTwin(ModelSettings(**SMALL), WINDOW)
    check(export_task_twin(twin, (sources, target)), (NEWEST_OUTPUTS[target],))


def several_access_points() -> onnx.ModelProto:
    return onnx.load_from_string(export_onnx(UnifiedTwin(READS_ALL, WINDOW), access_points=3))


@pytest.mark.parametrize(('sources', 'target'), [
    (('camera',), 'ftm'), (('ftm', 'imu'), 'camera')])
def test_graphs_of_several_access_points_obey_the_schema(sources, target):
    check(several_access_points().SerializeToString())
    twin = UnifiedTwin(READS_ALL, WINDOW)
    check(export_task_twin(twin, (sources, target), 3), (NEWEST_OUTPUTS[target],))


@pytest.mark.parametrize('dimension', [1, 2, 3])
def test_a_graph_of_a_fixed_number_of_access_points_or_other_windows_is_refused(dimension):
    model = several_access_points()
    (ranges,) = [item for item in model.graph.input if item.name == 'further_ftm']
    ranges.type.tensor_type.shape.dim[dimension].dim_value = 7
    with pytest.raises(ModelError, match='further_ftm has shape'):
        check(model.SerializeToString())


@pytest.mark.parametrize('kind', [*RAW_ATTACKS, *ATTACKS_BY_SCHEMA])
def test_a_hostile_graph_is_refused_in_a_sentence(make_graph, kind):
    payload = hostile_graph(kind, make_graph(shape=WINDOW))
    with pytest.raises(ModelError) as refusal:
        check(payload)
    assert len(str(refusal.value)) < 400
    with pytest.raises(ModelError):
        OnnxModel(payload, WINDOW)


@pytest.mark.parametrize('kind', ATTACKS_BY_SCHEMA)
def test_of_a_hostile_graph_nothing_runs_but_a_genuine_part(make_graph, kind):
    genuine = OnnxModel(make_graph(shape=WINDOW), WINDOW)
    try:
        model = OnnxModel(hostile_graph(kind, make_graph(shape=WINDOW)), WINDOW, genuine)
    except ModelError:
        return
    for graph, known in zip(model.graphs, genuine.graphs, strict=True):
        assert graph.skeleton == known.skeleton


@pytest.mark.parametrize('kind', [*ATTACKS_BY_COST, *ATTACKS_BY_OUTPUT])
def test_costly_and_absurd_graphs_are_a_matter_of_trial_and_use(make_graph, kind):
    check(hostile_graph(kind, make_graph(shape=WINDOW)))


def test_a_graph_of_other_windows_is_refused(make_graph):
    with pytest.raises(ModelError, match=r"camera has shape \('S', 8, 5\): it must be"):
        check(make_graph(shape=WINDOW), window=WindowSettings())


def test_content_of_another_file_is_never_read(make_graph, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret.bin').write_bytes(np.array([1234.5, 678.25], np.float32).tobytes())
    with pytest.raises(ModelError, match="'weight' has its content in another place"):
        OnnxModel(hostile_graph('content in a file beside', make_graph(shape=WINDOW)), WINDOW)


@pytest.mark.parametrize('surplus', [0, 1])
def test_the_limit_of_size_is_exact(surplus):
    payload = bytes(MAX_GRAPH_BYTES + surplus)
    with pytest.raises(ModelError, match='at most 67108864' if surplus else 'not a graph in ONNX'):
        read_graph(payload)


def test_a_session_of_other_operators_is_never_shared(make_graph):
    genuine = make_graph(shape=WINDOW)
    model = onnx.load_from_string(genuine)
    model.graph.node[0].op_type = 'Exfiltrate'
    with pytest.raises(ModelError, match='Exfiltrate'):
        OnnxModel(model.SerializeToString(), WINDOW, OnnxModel(genuine, WINDOW))
