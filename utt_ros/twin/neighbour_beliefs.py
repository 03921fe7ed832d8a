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

"""Beliefs of other areas, kept until a subject of theirs is new here."""

from utt_ros.settings import AreaSettings
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import (
    AreaBeliefs,
    SubjectBelief,
    age_belief,
    check_beliefs,
    transform_belief,
)
from utt_ros.types import NS_PER_S

MAX_KEPT_SUBJECTS = 4096
MAX_SUBJECT_AREAS = 4  # whose beliefs about one subject are kept


class NeighbourBeliefs:
    """Newest belief of each area about each subject, in bounded memory."""

    def __init__(
        self, area: AreaSettings, settings: ParticleFilterSettings, max_age_s: float,
    ) -> None:
        """`max_age_s`: of a belief that is offered, by stamps; 0: none is."""
        self._area, self._settings = area.area, settings
        self._to_area = area.pose_in_map.inverse()
        self._max_age_ns = round(max_age_s * NS_PER_S)
        self._beliefs: dict[str, dict[str, tuple[int, SubjectBelief]]] = {}  # by subject, area
        self.taken = 0  # beliefs with which a subject began
        self.contradicted = 0  # subjects times ticks at which an offer did not fit

    def __len__(self) -> int:
        """Return the number of subjects that other areas have a belief about."""
        return len(self._beliefs)

    def add(self, beliefs: AreaBeliefs) -> None:
        """Keep the beliefs of another area; those of this area are passed over.

        Raises MeasurementError for beliefs that no area can have; none of them is kept then.
        """
        if beliefs.area == self._area or not self._max_age_ns:
            return
        check_beliefs(beliefs)
        for subject, belief in beliefs.subjects.items():
            of_subject = self._beliefs.pop(subject, {})  # to the end: the oldest is evicted first
            of_subject.pop(beliefs.area, None)
            if len(of_subject) == MAX_SUBJECT_AREAS:
                del of_subject[next(iter(of_subject))]
            of_subject[beliefs.area] = beliefs.stamp_ns, belief
            self._beliefs[subject] = of_subject
            if len(self._beliefs) > MAX_KEPT_SUBJECTS:
                del self._beliefs[next(iter(self._beliefs))]

    def offer(self, subject: str, stamp_ns: int) -> SubjectBelief | None:
        """Return the surest belief about a subject, at a stamp and in the frame of this area.

        None without one whose stamp is within the greatest age, before or after.
        """
        offers = [
            age_belief(belief, (stamp_ns - of_ns) / NS_PER_S, self._settings)
            for of_ns, belief in self._beliefs.get(subject, {}).values()
            if abs(stamp_ns - of_ns) <= self._max_age_ns]
        if not offers:
            return None
        surest = min(offers, key=lambda belief: belief.position_variance)
        return transform_belief(surest, self._to_area)
