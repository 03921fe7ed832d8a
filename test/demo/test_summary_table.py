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

"""The table of replayed areas shows every number of its summary."""

from utt_ros.demo.summary_table import replay_table

AREA = {
    'modalities': ['ftm', 'imu'], 'windows': 1200, 'rounds': 8,
    'nmse': {'transfer:ftm->imu': {'first': 1.25, 'last': 0.5}},
    'position_error_m': {
        'camera': None, 'no_camera': {'median': 1.5, 'p90': 3.25, 'covered_90': 0.875, 'n': 9}},
    'untrained_m': {'camera': None, 'no_camera': {'median': 2.5, 'p90': 6.0}},
    'latency_ms': {'p50': 3.25, 'p99': 7.75}, 'latency_training_ms': None,
}
TRANSFER = {
    'operation': 'transfer', 'area': 'stairs', 'sources': ['hall_trajectory'],
    'target': 'stairs_trajectory_2', 'reads': ['ftm', 'imu'], 'seconds': 2.5, 'bytes': 1_700_000,
    'windows': 120, 'nmse': 0.301, 'nmse_before': 0.302, 'nmse_scratch': 0.689,
    'seconds_alone': 1.5, 'tuned': True, 'seconds_scratch': 10.0, 'windows_scratch': 480,
    'nmse_scratch_end': 0.4, 'scratch_reached': False}
SPLIT = {
    'operation': 'split', 'area': 'hall', 'sources': ['hall_trajectory'],
    'target': 'hall_position_2', 'reads': ['camera'], 'seconds': 4.5, 'bytes': 0, 'windows': 110,
    'nmse': 0.511, 'nmse_before': 0.512, 'nmse_scratch': None, 'tuned': False}
SUMMARY = {'rounds': 8, 'bytes_per_round': 4_000_000, 'wall_s': 200.4, 'first_line_s': 3.14,
           'first_person_s': 27.2, 'areas': {'hall': AREA},
           'operations': [TRANSFER, SPLIT]}


def test_table_holds_every_number_of_an_area():
    text = replay_table(SUMMARY)
    for part in ('hall: ftm+imu', '1200', '4,000,000', '1.250', '0.500', '1.500', '3.250', '0.875',
                 '2.500', '6.000', 'p50 3.2 ms', 'p99 7.8 ms'):
        assert part in text, part


def test_table_holds_the_operations_and_what_a_transfer_saves():
    text = replay_table(SUMMARY)
    for part in ('stairs_trajectory_2', '120', '2.5', '1.7', '0.302', '0.301', '0.689',
                 'does not reach that error with 10.0 s of a processor and 480 windows',
                 'took 1.5 s, 0.15 of the time, 0.25 of the windows',
                 'fine-tuning gained nothing and was dropped: hall_position_2', '0.511'):
        assert part in text, part
    reached = replay_table(SUMMARY | {'operations': [TRANSFER | {'scratch_reached': True}]})
    assert 'from scratch takes 10.0 s of a processor and 480 windows' in reached
    assert 'from scratch' not in replay_table(SUMMARY | {'operations': []})


def test_table_tells_what_a_newcomer_waits_for():
    assert 'first line after 3.1 s, first moving person after 27 s' in replay_table(SUMMARY)
    assert 'person after - s' in replay_table(SUMMARY | {'first_person_s': None})


def test_table_omits_conditions_that_an_area_cannot_have():
    assert 'camera sees' not in replay_table(SUMMARY)
    assert 'while training' not in replay_table(SUMMARY)


def test_table_holds_the_building():
    building = {'people': 4, 'handovers': 13, 'ids_kept': 0.923, 'double_counted': 0,
                'area_changes': 21, 'beliefs_taken': 17,
                'access_points': {'3': {'n': 210, 'median': 0.07, 'p90': 0.81}}}
    text = replay_table(SUMMARY | {'building': building})
    assert 'building: 4 people entered 13 rooms, 21 changes of area in /utt/people' in text
    assert 'ids kept 92 %, counted twice 0, beliefs taken over 17' in text
    assert text.splitlines()[-1].split() == ['3', '210', '0.07', '0.81']
    assert 'building' not in replay_table(SUMMARY)
