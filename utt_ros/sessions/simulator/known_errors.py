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

"""Errors of simulated people and sensors, for the area files of simulated areas.

People are 1.7 m high cylinders before a camera of exact pitch, walk steadily with phones held
ahead, and are ranged without walls: the defaults of `belief`, chosen on recorded walks, allow for
more. `body_spread` is a fact of the simulator; the others are chosen [R], by the share of the
truth in 90 % ellipses. docs/simulator.md has the ellipses of both.
"""

SIMULATED_BELIEF = {
    'body_spread': 0.0,
    'velocity_std_floor': 0.2,  # [m/s]
    'heading_std': 0.2,  # of hands, magnetometers and rooms [rad]
    'range_bias_std': 1.2,  # of bodies, phones and the area's slope [m]
    'range_std': 0.7,  # [m]
}
