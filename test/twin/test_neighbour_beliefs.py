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

"""Beliefs of other areas: the surest recent one is offered, in bounded memory."""

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.settings import AreaSettings
from utt_ros.twin import neighbour_beliefs
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import AreaBeliefs, SubjectBelief

T0 = 1_700_000_000_000_000_000
S = 10**9
AREA = AreaSettings(area='stairs', map_pose=(10.0, 0.0, np.pi))


@pytest.fixture
def neighbours() -> NeighbourBeliefs:
    return NeighbourBeliefs(AREA, ParticleFilterSettings(), 5.0)


def of(area: str, x: float = 8.0, *, std: float = 0.2, at_ns: int = T0,
       subject: str = 'ann') -> AreaBeliefs:
    mean = np.array([x, 1.0, 1.0, 0.0, 0.1])
    return AreaBeliefs(area, at_ns, {subject: SubjectBelief(mean, std**2 * np.eye(5), None)})


def test_an_offer_is_in_the_frame_of_the_area_and_moved_to_the_stamp(
    neighbours: NeighbourBeliefs,
) -> None:
    neighbours.add(of('hall'))
    offer = neighbours.offer('ann', T0 + S // 2)
    assert offer is not None
    np.testing.assert_allclose(offer.mean[:4], [1.5, -1.0, -1.0, 0.0], atol=1e-9)
    assert neighbours.offer('bob', T0) is None


@pytest.mark.parametrize(('age_s', 'is_offered'), [(5.0, True), (5.1, False), (-5.1, False)])
def test_a_belief_is_offered_up_to_an_age(
    age_s: float, is_offered: bool, neighbours: NeighbourBeliefs,
) -> None:
    neighbours.add(of('hall'))
    assert (neighbours.offer('ann', T0 + round(age_s * S)) is not None) == is_offered


def test_the_surest_belief_at_the_stamp_is_offered(neighbours: NeighbourBeliefs) -> None:
    neighbours.add(of('hall', 8.0, at_ns=T0 - 3 * S))
    neighbours.add(of('yard', 7.0, std=0.5))
    offer = neighbours.offer('ann', T0)
    assert offer is not None
    assert offer.mean[0] == pytest.approx(3.0)


def test_own_beliefs_and_bad_ones_are_not_kept(neighbours: NeighbourBeliefs) -> None:
    neighbours.add(of('stairs'))
    with pytest.raises(MeasurementError):
        neighbours.add(of('hall', np.nan))
    assert not neighbours


def test_without_a_hand_over_nothing_is_kept() -> None:
    neighbours = NeighbourBeliefs(AREA, ParticleFilterSettings(), 0.0)
    neighbours.add(of('hall'))
    assert not neighbours


def test_memory_is_bounded_and_the_oldest_goes_first(
    neighbours: NeighbourBeliefs, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbour_beliefs, 'MAX_KEPT_SUBJECTS', 2)
    for subject in ('ann', 'bob', 'ann', 'cy'):
        neighbours.add(of('hall', subject=subject))
    assert len(neighbours) == 2
    assert neighbours.offer('bob', T0) is None
    for number in range(5):
        neighbours.add(of(f'area{number}', 3.0, std=0.1 * (number + 1)))
    offer = neighbours.offer('ann', T0)  # area0, the surest one, was the oldest
    assert offer is not None
    assert offer.covariance[0, 0] == pytest.approx(0.04)
