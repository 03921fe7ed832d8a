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

"""Live association on walks of the simulator that no scorer was fitted on."""

import numpy as np
import pytest

from utt_ros.evaluation.association.label_removal import remove_first_phone
from utt_ros.evaluation.association.live_replay import (
    association_table,
    join_results,
    replay_live,
)
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.training.recordings import RecordedSequence

WINDOW = WindowSettings()


@pytest.fixture(scope='module')
def recording():
    planned = plan_sessions(1, 1.5, seed=24)[0]
    session = simulate_session(planned)
    return RecordedSequence(planned.area.settings, planned.name, 'test',
                            tuple(synchronize(session, windows=WINDOW)), session)


def test_labels_are_correct_at_every_age(recording) -> None:
    result = replay_live(recording, WINDOW, 'labels', None)
    assert result.record.idp == 1.0
    assert result.record.wrong == 0.0
    assert np.median(result.errors_m) < 0.3


def test_most_tracks_are_matched_to_their_own_phones(recording) -> None:
    result = replay_live(recording, WINDOW, 'fused', None)
    share, correct = result.record.confident
    assert result.record.idp_at(5.0) > 0.8
    assert share > 0.4
    assert correct > 0.95
    assert result.record.wrong < 0.1
    assert '`fused`' in association_table({'fused': (result, result)})
    assert len(join_results([result, result]).errors_m) == 2 * len(result.errors_m)


def test_a_person_without_a_phone_is_mostly_not_matched(recording) -> None:
    session, removed = remove_first_phone(recording.session)
    assert removed not in session.phones
    record = replay_live(
        recording, WINDOW, 'fused', None, twin=False, session=session).record
    assert record.stranger.any()
    rate, confident_rate = record.false_association
    assert confident_rate <= rate < 0.3
