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

"""State of running areas and of their federation, as lines for people and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

MAX_SHOWN_PEOPLE = 6  # in a line
MAX_SHOWN_CHARACTERS = 160  # of a sentence that another process sent
SILENT_SEC = 5.0  # without a status, which comes once a second


@dataclass(frozen=True, slots=True)
class PersonStatus:
    """Sensors that the position of a person stands on, and its standard deviation [m]."""

    sources: str  # such as 'camera+ftm+imu'
    std_m: float


@dataclass(frozen=True, slots=True)
class AreaStatus:
    """State of an area, as its twin and its trainer report it."""

    area: str
    heard_s: float  # newest report, on the clock of the reader
    round: int | None = None  # of the model in use; None: there is none
    people: Mapping[str, PersonStatus] = field(default_factory=dict)
    ticks_lost: int = 0
    compute_p99_ms: float = 0.0
    note: str = ''  # of the twin; empty when all is well
    nmse: float | None = None  # mean NMSE_var over the operations on held-out windows


@dataclass(frozen=True, slots=True)
class FederationStatus:
    """State of a federation, as its aggregator reports it."""

    round: int
    state: str
    accepted: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)  # reason by area
    suspected: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SystemStatus:
    """Newest state of all areas that were heard; its texts are `printable`."""

    areas: dict[str, AreaStatus] = field(default_factory=dict)
    federation: FederationStatus | None = None
    troubles: dict[str, str] = field(default_factory=dict)  # by node, such as 'hall/imu'

    def lines(self, now_s: float, area: str = '') -> list[str]:
        """Return a line for each area, or for one of them, and one for the federation."""
        shown = [status for name, status in sorted(self.areas.items()) if area in ('', name)]
        lines = [describe_area(status, self._troubles_of(status.area), now_s) for status in shown]
        if self.federation is not None and not area:
            lines.append(describe_federation(self.federation))
        return lines

    def content(self, now_s: float, area: str = '') -> dict[str, Any]:
        """Return the same for JSON. NaN and infinity are None."""
        return {
            'areas': {name: {
                'age_s': round(now_s - status.heard_s, 3),
                'round': status.round,
                'people': {person: {'sources': state.sources, 'std_m': _finite(state.std_m)}
                           for person, state in status.people.items()},
                'ticks_lost': status.ticks_lost,
                'compute_p99_ms': _finite(status.compute_p99_ms),
                'nmse': _finite(status.nmse),
                'note': status.note,
                'troubles': self._troubles_of(name),
            } for name, status in sorted(self.areas.items()) if area in ('', name)},
            'federation': None if self.federation is None else {
                'round': self.federation.round, 'state': self.federation.state,
                'accepted': list(self.federation.accepted),
                'refused': dict(self.federation.refused),
                'suspected': dict(self.federation.suspected)},
        }

    def update(self, area: str, **values: Any) -> None:
        """Change what is known of an area; `heard_s` is among the first values."""
        known = self.areas.get(area) or AreaStatus(area, values['heard_s'])
        self.areas[area] = replace(known, **values)

    def _troubles_of(self, area: str) -> dict[str, str]:
        return {name.partition('/')[2]: text for name, text in sorted(self.troubles.items())
                if name.startswith(f'{area}/')}


def describe_area(status: AreaStatus, troubles: Mapping[str, str], now_s: float) -> str:
    """Return one line: who is seen by what, the deviation of positions, round, trouble."""
    parts = [_describe_people(status.people)]
    if now_s - status.heard_s > SILENT_SEC:
        parts = [f'nothing heard for {now_s - status.heard_s:.0f} s']
    parts.append('no model yet' if status.round is None else f'round {status.round}')
    if status.nmse is not None and isfinite(status.nmse):
        parts[-1] += f', NMSE_var {status.nmse:.2f}'
    if status.ticks_lost:
        parts.append(f'{status.ticks_lost} ticks lost')
    if status.note:
        parts.append(status.note)
    parts += [f'{name}: {text}' for name, text in troubles.items() if text != status.note]
    return f'{status.area}: {"; ".join(parts)}'


def describe_federation(status: FederationStatus) -> str:
    """Return one line: round, who takes part, who was refused or stands out, and why."""
    there = ', '.join(status.accepted) or 'nobody yet'
    parts = [f'round {status.round} {status.state}, updates of {there}']
    parts += [f'refused: {area}: {reason}' for area, reason in status.refused.items()]
    parts += [f'suspected: {area}: {reason}' for area, reason in status.suspected.items()]
    return f'federation: {"; ".join(parts)}'


def printable(text: str) -> str:
    """Return text of another process without control characters, cut to a length."""
    clean = ''.join(letter if letter.isprintable() else '?' for letter in text)
    if len(clean) > MAX_SHOWN_CHARACTERS:
        clean = f'{clean[:MAX_SHOWN_CHARACTERS - 3]}...'
    return clean


def _describe_people(people: Mapping[str, PersonStatus]) -> str:
    if not people:
        return 'nobody'
    shown = list(people.items())[:MAX_SHOWN_PEOPLE]
    texts = [f'{name} by {state.sources} ({state.std_m:.2f} m)' for name, state in shown]
    if len(people) > len(shown):
        texts.append(f'{len(people) - len(shown)} more')
    return ', '.join(texts)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
