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

"""Numbers printed in the paper (arXiv 2509.02551), shown beside ours [P].

Its NMSE is on another data set and probably `nmse_energy`, in per cent; ratios are comparable,
values are not. The bar of each number of Fig. 4 is inferred from the order of the text [R].
"""

PAPER_ENERGY = {  # (operation, sources, target) -> NMSE with the gating fusor
    ('transfer', 'camera', 'ftm'): 4.49,
    ('transfer', 'camera', 'imu'): 7.18,
    ('transfer', 'ftm', 'camera'): 9.65,
    ('transfer', 'ftm', 'imu'): 7.58,
    ('merge', 'ftm+imu', 'camera'): 8.04,
    ('merge', 'camera+imu', 'ftm'): 4.00,
    ('merge', 'camera+ftm', 'imu'): 7.15,
}
PAPER_TABLE = {  # (method, operation) -> time [s], NMSE
    ('direct_single', 'split'): (6843.0, 15.79),
    ('direct_single', 'merge'): (6843.0, 15.79),
    ('utt_single', 'split'): (4002.0, 12.01),
    ('utt_single', 'merge'): (4355.0, 8.08),
    ('centralised_single', 'split'): (4571.0, 12.61),
    ('centralised_single', 'merge'): (4941.0, 8.24),
}
PAPER_SPECIFIC = {'specific': 4.30, 'unified': 4.49}  # Fig. 5a, camera to ftm
PAPER_TASKS = {'real': 0.474, 'twin': 0.462}  # Fig. 6, trajectory prediction
