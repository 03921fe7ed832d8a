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

"""Tables of the demonstration, from the summaries that are written as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from utt_ros.text_table import align_columns

SITUATIONS = {'camera': 'camera sees', 'no_camera': 'no camera > 0.5 s'}
LATENCIES = {'latency_ms': 'test', 'latency_training_ms': 'while training'}


def replay_table(summary: Mapping[str, Any]) -> str:
    """Format the summary of replayed areas: one block per area."""
    head = (f'rounds {summary["rounds"]}   bytes per round {summary["bytes_per_round"]:,}   '
            f'wall time {summary["wall_s"]:.0f} s')
    lines = [head, _times(summary)]
    for name, area in summary['areas'].items():
        lines += ['', *_area(name, area)]
    if summary['operations']:
        lines += ['', *_operations(summary['operations'])]
    if 'building' in summary:
        lines += ['', *_building(summary['building'])]
    return '\n'.join(lines)


def _times(summary: Mapping[str, Any]) -> str:
    person_s = summary['first_person_s']
    return (f'first line after {summary["first_line_s"]:.1f} s, first moving person after '
            f'{"-" if person_s is None else f"{person_s:.0f}"} s')


def _building(building: Mapping[str, Any]) -> list[str]:
    kept = building['ids_kept']
    errors = [[count, str(each['n']), f'{each["median"]:.2f}', f'{each["p90"]:.2f}']
              for count, each in building['access_points'].items()]
    head = (
        f'building: {building["people"]} people entered {building["handovers"]} rooms, '
        f'{building["area_changes"]} changes of area in /utt/people, ids kept '
        f'{"-" if kept is None else f"{100 * kept:.0f} %"}, counted twice '
        f'{building["double_counted"]}, beliefs taken over {building["beliefs_taken"]}')
    columns = ('access points', 'positions', 'median [m]', 'p90 [m]')
    return [head, *align_columns(columns, errors)]


def live_table(summary: Mapping[str, Any]) -> str:
    """Format the summary of a live area: streams, drivers, clocks, identities, positions."""
    streams = [
        [name, str(stream['made']), str(stream['heard']), f'{stream["rate_hz"]:.1f}',
         f'{stream["late_ms"]:.0f}'] for name, stream in summary['streams'].items()]
    drivers = [
        [name, counts['source'], str(counts['dropped']), str(counts['reopened']),
         ' '.join(f'{reason} {count}' for reason, count in counts['refused'].items()) or '-']
        for name, counts in sorted(summary['drivers'].items())]
    clocks = [
        [name, f'{clock["offset_s"]:.3f}', f'{clock["error_ms"]:+.1f}',
         f'{clock["drift_ppm"]:.0f}', f'{clock["true_ppm"]:.0f}']
        for name, clock in summary['clocks'].items()]
    errors = [
        [label, f'{error["median"]:.2f}', f'{error["p90"]:.2f}', f'{error["covered_90"]:.2f}']
        for key, label in SITUATIONS.items() if (error := summary['position_error_m'][key])]
    boxes, late = summary['identity'], summary['latency_ms']
    identity = (
        f'  whose phone: {boxes["tracked"]} boxes of people, {boxes["given"]} given to a phone, '
        f'{boxes["right"]} to the right one: IDP {boxes["idp"]:.2f}, '
        f'{boxes["right_of_given"]:.2f} of those given')
    return '\n'.join([
        *align_columns(['stream', 'made', 'heard', 'rate [Hz]', 'late [ms]'], streams), '',
        *align_columns(['driver', 'source', 'dropped', 'reopened', 'refused'], drivers, left=5),
        '',
        *align_columns(
            ['clock', 'host - phone [s]', 'error [ms]', 'drift [ppm]', 'true'], clocks), '',
        identity, '',
        *align_columns(['position error [m]', 'median', 'p90', 'in 90 % ellipse'], errors),
        f'  stamp to position: p50 {late["p50"]:.0f} ms, p99 {late["p99"]:.0f} ms'])


def _area(name: str, area: Mapping[str, Any]) -> list[str]:
    head = (f'{name}: {"+".join(area["modalities"])}   windows {area["windows"]}   '
            f'rounds {area["rounds"]}')
    operations = [[operation, _number(errors['first']), _number(errors['last'])]
                  for operation, errors in area['nmse'].items()]
    latencies = [f'  stamp to position, {label}: '
                 f'p50 {latency["p50"]:.1f} ms, p99 {latency["p99"]:.1f} ms'
                 for key, label in LATENCIES.items() if (latency := area.get(key))]
    return [
        head,
        *align_columns(['operation', 'NMSE_var first', 'last'], operations),
        *align_columns(
            ['position error [m]', 'median', 'p90', 'in 90 % ellipse', 'untrained median', 'p90'],
            [_position(label, area['position_error_m'][key], area['untrained_m'][key])
             for key, label in SITUATIONS.items() if area['position_error_m'][key]]),
        *latencies]


def _operations(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Format task twins that were made while the areas ran, and the cost of training anew."""
    table = [
        [row['operation'], ' '.join(row['sources']), row['target'], str(row['windows']),
         f'{row["seconds"]:.1f}', f'{row["bytes"] / 1e6:.1f}', _number(row['nmse_before']),
         _number(row['nmse']), _number(row['nmse_scratch'])] for row in rows]
    head = ['made by', 'from', 'task twin', 'windows', 'seconds', 'MB', 'NMSE_var before', 'after',
            'from scratch']
    return [*align_columns(head, table, left=3), *filter(None, map(_scratch_cost, rows)),
            *_untuned(rows)]


def _scratch_cost(row: Mapping[str, Any]) -> str:
    if 'seconds_scratch' not in row:
        return ''
    reached = 'takes' if row['scratch_reached'] else 'does not reach that error with'
    seconds, scratch_s = row['seconds_alone'], row['seconds_scratch']
    return (f'  {row["target"]} from scratch {reached} {scratch_s:.1f} s of a processor and '
            f'{row["windows_scratch"]} windows: its transfer took {seconds:.1f} s, '
            f'{seconds / scratch_s:.2f} of the time, '
            f'{row["windows"] / row["windows_scratch"]:.2f} of the windows')


def _untuned(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the twins whose fine-tuning was dropped."""
    names = [row['target'] for row in rows if row['windows'] and not row['tuned']]
    return [f'  fine-tuning gained nothing and was dropped: {", ".join(names)}'] if names else []


def _position(
    label: str, errors: Mapping[str, float], untrained: Mapping[str, float] | None,
) -> list[str]:
    before = untrained or {}
    return [label, *(_number(errors[key]) for key in ('median', 'p90', 'covered_90')),
            *(_number(before.get(key)) for key in ('median', 'p90'))]


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'

