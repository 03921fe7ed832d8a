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

"""Keys of a launch plan: made before its nodes start, so that all of them find all keys."""

from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.orchestration.graph import keys_path
from utt_ros.orchestration.launch_plan import LaunchPlan


def prepare_keys(plan: LaunchPlan) -> list[str]:
    """Create missing keys of a plan's nodes; return remarks. Raises SettingsError."""
    if not plan.nodes:
        return []
    if not plan.signed:
        return ['WARNING: nothing is signed: whoever reaches DDS can send updates and models']
    keys = KeyFolder(keys_path(plan))
    for name in (*(area.name for area in plan.areas), *[AGGREGATOR] * plan.aggregator):
        keys.private(name)
    if plan.federated and not keys.public(AGGREGATOR):
        remark = 'has no key of the aggregator: its models are refused until `utt keys trust`'
        return [f'{keys.folder} {remark} adds one']
    return []
