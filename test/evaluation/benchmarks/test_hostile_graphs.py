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

import onnx
import pytest

from utt_ros.evaluation.benchmarks.hostile_graphs import (
    ATTACKS_BY_COST,
    ATTACKS_BY_OUTPUT,
    ATTACKS_BY_SCHEMA,
    hostile_graph,
)


@pytest.mark.parametrize('kind', [*ATTACKS_BY_SCHEMA, *ATTACKS_BY_COST, *ATTACKS_BY_OUTPUT])
def test_a_hostile_graph_differs_from_the_genuine_one_and_parses(make_graph, kind):
    genuine = make_graph()
    payload = hostile_graph(kind, genuine)
    assert onnx.load_from_string(payload) != onnx.load_from_string(genuine)
