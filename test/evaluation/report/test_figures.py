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

from utt_ros.evaluation.report.figures import draw_bars, draw_curves


def test_bars_are_drawn_with_missing_series_and_without_panels() -> None:
    panels = {'merge': (['V', 'W'], {'utt': [(1.0, 0.1), (2.0, 0.0)]}),
              'split': (['V'], {'direct': [(float('nan'), 0.0)]})}
    assert draw_bars(panels, 'NMSE').startswith(b'\x89PNG')
    assert draw_bars({}, '').startswith(b'\x89PNG')


def test_curves_are_drawn_where_a_point_is_missing() -> None:
    missing = (float('nan'), float('nan'), float('nan'))
    panels = {'V': (['0', 'all'], {'scratch': [missing, (0.5, 0.4, 0.6)],
                                   'transferred': [(0.4, 0.3, 0.5), (0.3, 0.2, 0.4)]})}
    assert draw_curves(panels, 'NMSE').startswith(b'\x89PNG')
