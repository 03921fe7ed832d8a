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

"""Lineage of task twins: the operations by which they were made from one another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan

from utt_ros.task_twins.types import TaskTwin, find_twin

STATUS_COLORS = {'serving': '#d9ead3', 'paused': '#fff2cc', 'retired': '#eeeeee'}
UNSEEN = 'unseen'  # of a parent that is not among the twins
UNSEEN_COLOR = '#ffffff'


@dataclass(frozen=True, slots=True)
class Lineage:
    """Task twins with the edges parent -> child; parents that are not among them are edges only.

    Edges that would close a circle are left out.
    """

    twins: Mapping[str, TaskTwin]  # by id
    children: Mapping[str, tuple[str, ...]]  # by id of a parent, sorted
    depths: Mapping[str, int]  # by id: length of the longest way from a twin without parents

    def roots(self) -> list[str]:
        """Return the ids of those without parents, sorted."""
        return sorted(name for name, depth in self.depths.items() if depth == 0)


def trace_lineage(twins: Iterable[TaskTwin], twin_id: str = '') -> Lineage:
    """Return the lineage of all twins, or of one: its ancestors and descendants.

    Raises TwinError for an id that is not among them.
    """
    known = {twin.id: twin for twin in twins}
    parents = {name: twin.parents for name, twin in known.items()}
    if twin_id:
        find_twin(known, twin_id)
        kept = _reach(twin_id, parents) | _reach(twin_id, _invert(parents))
        known = {name: twin for name, twin in known.items() if name in kept}
        parents = {name: twin.parents for name, twin in known.items()}
    depths: dict[str, int] = {}
    edges: set[tuple[str, str]] = set()
    for name in sorted(parents):
        _visit(name, parents, depths, edges, ())
    children: dict[str, list[str]] = {}
    for parent, child in sorted(edges):
        children.setdefault(parent, []).append(child)
    return Lineage(known, {name: tuple(items) for name, items in children.items()}, depths)


def lineage_tree(lineage: Lineage) -> list[str]:
    """Return lines of a tree from parents to children; a twin is expanded once."""
    lines: list[str] = []
    expanded: set[str] = set()

    def add(name: str, head: str, tail: str) -> None:
        repeated = name in expanded and bool(lineage.children.get(name))
        lines.append(f'{head}{describe_twin(lineage, name)}{"  (above)" * repeated}')
        if name in expanded:
            return
        expanded.add(name)
        below = lineage.children.get(name, ())
        for child in below:
            last = child == below[-1]
            add(child, tail + ('└─ ' if last else '├─ '), tail + ('   ' if last else '│  '))

    for root in lineage.roots():
        add(root, '', '')
    return lines


def lineage_dot(lineage: Lineage) -> str:
    """Return the lineage in the DOT language of Graphviz; dashed: puts out of service."""
    lines = ['digraph lineage {', '  rankdir=LR; node [shape=box, style="rounded,filled"];']
    for name in sorted(lineage.depths):
        label = '\\n'.join(twin_label(lineage, name))
        lines.append(f'  "{name}" [label="{label}", fillcolor="{twin_color(lineage, name)}"];')
    for parent, children in sorted(lineage.children.items()):
        lines += [f'  "{parent}" -> "{child}" [label="{lineage.twins[child].operation}"];'
                  for child in children]
    lines += [f'  "{twin.id}" -> "{twin.replaces}" [style=dashed, constraint=false];'
              for twin in lineage.twins.values() if twin.replaces in lineage.twins]
    return '\n'.join([*lines, '}', ''])


def lineage_content(lineage: Lineage) -> dict[str, object]:
    """Return nodes and edges for JSON."""
    return {
        'twins': [{'id': name, 'status': status_in(lineage, name)}
                  for name in sorted(lineage.depths)],
        'edges': [{'parent': parent, 'child': child, 'operation': lineage.twins[child].operation}
                  for parent, children in sorted(lineage.children.items()) for child in children]}


def describe_twin(lineage: Lineage, name: str) -> str:
    """Describe a twin in one line: id, operation, sources -> target, status, error."""
    twin = lineage.twins.get(name)
    if twin is None:
        return f'{name}  {UNSEEN}'
    operation = 'sensor' if twin.is_native else (
        f'{twin.operation} {"+".join(twin.sources)}->{twin.target}')
    error = '' if isnan(twin.mean_nmse) else f'NMSE_var {twin.mean_nmse:.3f}'
    return '  '.join(filter(None, (name, operation, twin.status, error)))


def twin_label(lineage: Lineage, name: str) -> list[str]:
    """Return the lines of text in the box of a twin."""
    return [name, *describe_twin(lineage, name).split('  ')[1:]]


def status_in(lineage: Lineage, name: str) -> str:
    """Return the status of a twin, UNSEEN for a parent that is not among the twins."""
    return lineage.twins[name].status if name in lineage.twins else UNSEEN


def twin_color(lineage: Lineage, name: str) -> str:
    """Return the colour of a twin's status."""
    return STATUS_COLORS.get(status_in(lineage, name), UNSEEN_COLOR)


def _visit(
    name: str, parents: Mapping[str, tuple[str, ...]], depths: dict[str, int],
    edges: set[tuple[str, str]], way: tuple[str, ...],
) -> int:
    if name not in depths:
        sound = [parent for parent in parents.get(name, ()) if parent not in (*way, name)]
        edges.update((parent, name) for parent in sound)
        depths[name] = max(
            (1 + _visit(parent, parents, depths, edges, (*way, name)) for parent in sound),
            default=0)
    return depths[name]


def _invert(parents: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    children: dict[str, tuple[str, ...]] = {}
    for name, items in parents.items():
        for parent in items:
            children[parent] = (*children.get(parent, ()), name)
    return children


def _reach(start: str, edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        new = set(edges.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return reached
