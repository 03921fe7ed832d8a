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

"""Aggregation rules and server steps by name, built in and registered from outside."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from utt_ros import plugins
from utt_ros.errors import SettingsError
from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.aggregation_rules import (
    AGGREGATION_RULES,
    fedavg,
    make_aggregation_rule,
    make_server_step,
    register_aggregation_rule,
)
from utt_ros.federation.checkpoints import Checkpoint, NullStore
from utt_ros.federation.client_messages import make_update
from utt_ros.federation.modality_gating import ModalityGating
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.wire import Tensors

REFERENCE = {'w': np.zeros(2, np.float32)}


def median(contributions: Sequence[Contribution], reference: Tensors) -> dict[str, np.ndarray]:
    """Take the median of each tensor over all areas, which must have sent it."""
    return {name: np.median([item.tensors[name] for item in contributions], axis=0)
            .astype(np.float32) for name in reference}


@pytest.fixture(autouse=True)
def _keep_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AGGREGATION_RULES, '_values', dict(AGGREGATION_RULES._values))


def test_rules_differ_in_the_weight_of_an_area() -> None:
    small = Contribution('small', {'w': np.float32([0])}, windows=1)
    large = Contribution('large', {'w': np.float32([4])}, windows=3)
    reference = {'w': np.float32([9])}
    for name, expected in (('uniform', 2.0), ('windows', 3.0)):
        rule = make_aggregation_rule(name)
        assert rule([small, large], reference)['w'] == expected


def test_gated_takes_its_gates_from_the_settings() -> None:
    rule = make_aggregation_rule('gated', ('imu=1.0',))
    assert isinstance(rule, ModalityGating)
    camera = Contribution('a', {'w': np.ones(2, np.float32)}, 1, ('camera',))
    imu = Contribution('b', {'w': np.full(2, 3.0, np.float32)}, 1, ('imu',))
    np.testing.assert_array_equal(rule([camera, imu], REFERENCE)['w'], 3.0)


def test_a_registered_rule_closes_the_rounds_of_a_federation() -> None:
    register_aggregation_rule('median', median)
    settings = AggregatorSettings(weighting='median', quorum=3, deadline=0.0)
    server = FederationServer(settings, NullStore(), Checkpoint('f', 0, '{}', REFERENCE), 0)
    for area, value in (('a', 1.0), ('b', 2.0), ('c', 9.0)):
        tensors = {'w': np.full(2, value, np.float32)}
        server.receive(make_update(server.model, area, 1, ('imu',), tensors), 0)
    assert server.step(0) is not None
    np.testing.assert_array_equal(server.tensors['w'], 2.0)


def test_a_rule_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = EntryPoint('mean_by_numpy', 'numpy:mean', 'utt_ros.aggregation_rules')

    def entry_points(**wanted: str) -> EntryPoints:
        return EntryPoints([offered]).select(**wanted)

    monkeypatch.setattr(plugins, 'entry_points', entry_points)
    settings = AggregatorSettings(weighting='mean_by_numpy')
    assert make_aggregation_rule(settings.weighting) is np.mean


def test_an_unknown_rule_is_refused_with_all_known_names() -> None:
    register_aggregation_rule('median', median)
    expected = r"weighting is 'mode': .* one of coordinate_median, gated, .* median, multi_krum"
    with pytest.raises(SettingsError, match=expected):
        AggregatorSettings(weighting='mode')


def test_a_name_cannot_be_taken_twice() -> None:
    with pytest.raises(SettingsError, match="weighting 'windows' is registered already"):
        register_aggregation_rule('windows', median)


def test_fedavg_takes_the_average_as_the_next_model() -> None:
    assert make_server_step('fedavg', 0.01, 1e-3, 0.99) is fedavg
    mean = {'w': np.ones(2, np.float32)}
    tensors, memory = fedavg(REFERENCE, mean, {})
    assert tensors == mean
    assert memory == {}
