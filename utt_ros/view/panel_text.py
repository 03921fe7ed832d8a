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

"""Texts of a view as HTML. All that other processes sent is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from utt_ros.orchestration.system_status import describe_federation
from utt_ros.task_twins.lineage import lineage_tree, trace_lineage
from utt_ros.task_twins.twin_tables import twin_table
from utt_ros.types import NS_PER_S
from utt_ros.view.federation_history import FederationHistory
from utt_ros.view.scene import Scene, ScenePerson

MAX_LISTED_PEOPLE = 40
MAX_LISTED_TWINS = 60
STYLE = ('font: 12px/1.35 ui-monospace, monospace; white-space: pre; overflow-x: auto; '
         'padding: 2px 12px; margin: 0')
WRAPPED = 'font-size: 13px; line-height: 1.4; padding: 2px 12px; overflow-wrap: anywhere'


def areas_html(scene: Scene) -> str:
    """Return a paragraph for each area, as `utt status` prints it."""
    lines = scene.status.lines(scene.now_ns / NS_PER_S)
    if not lines:
        known = ', '.join(sorted(area.name for area in scene.areas.values()))
        lines = [f'{known}: no twin is heard' if known else 'no area is heard yet']
    if scene.refused:
        lines.append(f'{scene.refused} messages could not be read: {scene.refusal}')
    return _paragraphs(lines)


def people_html(people: Sequence[ScenePerson]) -> str:
    """Return a line for each person: name, deviation, sources."""
    shown = [f'{person.name:<12.12} {_deviation_m(person):5.2f} m  {person.sources}'
             for person in people[:MAX_LISTED_PEOPLE]]
    if len(people) > len(shown):
        shown.append(f'{len(people) - len(shown)} more')
    return _preformatted(shown or ['nobody'])


def federation_html(history: FederationHistory) -> str:
    """Return the round, then NMSE_var of each operation and gates of modalities, by area."""
    lines = []
    if history.round is not None:
        lines.append(f'{describe_federation(history.round)}; quorum {history.quorum}')
    areas = sorted(history.operations)
    rows = [f'{"":<30} {" ".join(f"{area:>8.8}" for area in areas)}'] if areas else []
    for label, by_area in (('', history.operations), ('gate of ', history.gates)):
        for name in sorted({name for each in by_area.values() for name in each}):
            values = (by_area[area].get(name) for area in areas)
            cells = ' '.join(f'{"-" if value is None else format(value, ".3f"):>8}'
                             for value in values)
            rows.append(f'{label + name:<30.30} {cells}')
    text = _paragraphs(lines or ['no round is heard yet'])
    return text + (_preformatted(rows) if rows else '')


def twins_html(history: FederationHistory) -> str:
    """Return lineage and table of the task twins."""
    twins = [twin for _, each in sorted(history.twins.items()) for twin in each]
    if not twins:
        return _paragraphs(['no task twin is heard yet'])
    shown = twins[:MAX_LISTED_TWINS]
    lines = [*lineage_tree(trace_lineage(shown)), '', *twin_table(shown)]
    if len(twins) > len(shown):
        lines.append(f'{len(twins) - len(shown)} more')
    return _preformatted(lines)


def _deviation_m(person: ScenePerson) -> float:
    """Return the root of the larger eigenvalue of the covariance."""
    (xx, xy), (_, yy) = person.covariance.tolist()
    middle, half = (xx + yy) / 2, (((xx - yy) / 2)**2 + xy * xy)**0.5
    return float(max(middle + half, 0.0)**0.5)


def _paragraphs(lines: Iterable[str]) -> str:
    return ''.join(f'<div style="{WRAPPED}">{escape(line)}</div>' for line in lines)


def _preformatted(lines: Iterable[str]) -> str:
    return f'<div style="{STYLE}">{escape(chr(10).join(lines))}</div>'
