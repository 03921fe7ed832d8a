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

"""Topics of a bag."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BagTopic:
    """A topic of a bag and the QoS that its publishers offered; reliable when none is recorded."""

    name: str
    type: str
    reliable: bool = True
    transient: bool = False  # late subscribers get the newest messages as well
    depth: int = 0  # 0: unknown
