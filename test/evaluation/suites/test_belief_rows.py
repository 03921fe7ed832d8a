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

"""The unified model merged with the belief."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.evaluation.belief_replay import ExpectedTrack
from utt_ros.evaluation.results import TO_BEST_SOURCE, TO_RIDGE, Row
from utt_ros.evaluation.suites.belief_rows import belief_tracks, merge_decoded
from utt_ros.evaluation.trained_models import Study

RunUnit = Callable[[str, str], tuple[Row, ...]]


@pytest.mark.slow
def test_a_belief_of_ranges_and_a_phone_makes_better_boxes_than_a_window(
    run_unit: RunUnit,
) -> None:
    rows = run_unit('operations', 'operations-belief-seed0')
    assert {row.target for row in rows} == {'camera', 'ftm'}
    assert {row.metric for row in rows} >= {'nmse_var', TO_RIDGE, TO_BEST_SOURCE}
    unified = run_unit('operations', 'operations-utt-seed0')

    def depth_error(found: tuple[Row, ...]) -> float:
        return next(row.value for row in found if row.metric == 'nmse_var_depth_m' and (
            row.operation, row.sources, row.target) == ('merge', 'ftm+imu', 'camera'))

    assert depth_error(rows) < depth_error(unified)


def test_nothing_is_known_of_subjects_whose_sensors_are_all_masked(study: Study) -> None:
    hidden = {name: np.ones(10_000, bool) for name in ('camera', 'ftm')}
    tracks = belief_tracks(study, study.model(0), 'camera', lambda item: {
        name: off[:len(item.batches)] for name, off in hidden.items()})
    assert tracks == {}


def test_decoded_fields_are_merged_with_one_deviation_in_all_directions(
    study: Study, monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair, far_t = (('camera', 'ftm'), 'imu'), 1.0  # T, beside which a decoded field is nothing
    monkeypatch.setattr(Study, 'residual_deviations', lambda *_: np.array([
        *[np.nan] * 6, 1e-6, 2e-6, 7**0.5 * 1e-6]))
    windows = study.translation_windows()
    rows = windows.rows_for(*pair)[:1]
    key = str(windows.sequences[rows[0]]), str(windows.subjects[rows[0]])
    mean, std = np.full((2, 1, 9), np.nan)
    mean[:, 6:], std[:, 6:] = far_t, 2e-6
    track = ExpectedTrack(windows.stamps_ns[rows], mean, std)
    merged = merge_decoded(study, 0, windows, rows, pair=pair, tracks={key: track})
    assert merged[0, -1, 6:] == pytest.approx([far_t / 2] * 3, rel=0.01)
