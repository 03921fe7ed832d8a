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

import numpy as np

from utt_ros.evaluation.association.association_record import AssociationRecord, join_records


def record(correct, named, ages=(0.2, 1.0, 1.0, 3.0)):
    return AssociationRecord(
        np.array(ages), np.array(correct, bool), np.array(named, bool), np.ones(4, bool),
        np.zeros(4, bool), np.array([0.0, 0.95, 0.95, 0.5]), 1, 2.0)


def test_an_unnamed_box_counts_as_incorrect() -> None:
    boxes = record([0, 1, 0, 1], [0, 1, 1, 1])
    assert (boxes.idp_at(1.0), boxes.idp_at(3.0), boxes.idp) == (0.5, 1.0, 0.5)
    assert np.isnan(boxes.idp_at(10.0))
    assert boxes.wrong == 0.25
    assert boxes.confident == (0.5, 0.5)


def test_false_associations_are_those_of_people_without_a_phone() -> None:
    boxes = record([0, 0, 0, 0], [0, 1, 1, 1])
    strangers = AssociationRecord(
        boxes.age_s, boxes.correct, boxes.named, np.zeros(4, bool), np.ones(4, bool),
        boxes.confidence, 0, 2.0)
    assert strangers.false_association == (0.75, 0.5)
    assert np.isnan(boxes.false_association).all()
    assert np.isnan(strangers.idp)


def test_joined_records_hold_all_boxes_and_changes() -> None:
    joined = join_records([record([1, 1, 1, 1], [1] * 4), record([0, 0, 0, 0], [1] * 4)])
    assert joined.idp == 0.5
    assert (joined.changes, joined.seconds) == (2, 4.0)
