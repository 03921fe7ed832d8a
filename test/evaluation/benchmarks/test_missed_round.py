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

"""The newest counters of nodes are in the explanation of a round that did not come."""

from pathlib import Path
from typing import Any

from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.evaluation.benchmarks.missed_round import explain_missed_round
from utt_ros.sessions.message_types import typestore

ARRAY = 'diagnostic_msgs/msg/DiagnosticArray'


def report(node: str, **values: int) -> Any:
    kinds = typestore().types
    status = kinds['diagnostic_msgs/msg/DiagnosticStatus'](
        level=0, name=node, message='', hardware_id='', values=[
            kinds['diagnostic_msgs/msg/KeyValue'](key=key, value=str(value))
            for key, value in values.items()])
    time = kinds['builtin_interfaces/msg/Time'](sec=0, nanosec=0)
    return kinds[ARRAY](
        header=kinds['std_msgs/msg/Header'](stamp=time, frame_id=''), status=[status])


def test_newest_counters_and_the_ends_of_logs_tell_who_missed_the_round(tmp_path: Path) -> None:
    types = typestore()
    with Writer(tmp_path / 'diagnostics', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection('/diagnostics', ARRAY, typestore=types)
        for number, message in enumerate((
                report('hall: trainer', round=0, windows=7), report('hall: twin', round=5),
                report('hall: trainer', round=0, windows=8, windows_held_out=90),
                report('utt: aggregator', round=0, updates_accepted=1, updates_refused=0))):
            writer.write(topic, number, types.serialize_cdr(message, ARRAY))
    for area, name, text in (('hall', 'hall_trainer', 'one\ntwo\nthree\nfour\nfive\n'),
                             ('hall', 'utt_aggregator', ''), ('hall', 'hall_twin', 'other\n')):
        (tmp_path / area / 'log').mkdir(parents=True, exist_ok=True)
        (tmp_path / area / 'log' / f'{name}.log').write_text(text)
    assert explain_missed_round(tmp_path, ['hall', 'yard'], 120.0).splitlines() == [
        'no round had updates of hall and yard within 120 s after the walk',
        'hall: trainer: round 0, windows 8, windows_held_out 90',
        'yard: trainer: not in /diagnostics',
        'utt: aggregator: round 0, updates_accepted 1, updates_refused 0',
        'hall_trainer.log: two', 'hall_trainer.log: three', 'hall_trainer.log: four',
        'hall_trainer.log: five', 'utt_aggregator.log: (empty)']


def test_a_bag_that_cannot_be_read_does_not_hide_the_missed_round(tmp_path: Path) -> None:
    (tmp_path / 'hall' / 'log').mkdir(parents=True)
    (tmp_path / 'hall' / 'log' / 'hall_trainer.log').write_text('one\n')
    first, unread, last = explain_missed_round(tmp_path, ['hall'], 120.0).splitlines()
    assert first.startswith('no round had updates of hall')
    assert str(tmp_path / 'diagnostics') in unread
    assert last == 'hall_trainer.log: one'
