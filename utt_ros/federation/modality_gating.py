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

"""Modality-gated aggregation [P]: updates are weighted by the modalities of their areas."""

from collections.abc import Mapping, Sequence
from math import isclose, isfinite

from utt_ros.errors import SettingsError
from utt_ros.federation.aggregation import Contribution, average
from utt_ros.federation.wire import Tensors
from utt_ros.types import FloatArray


def parse_gates(entries: Sequence[str]) -> dict[str, float]:
    """Return weights by modality from entries such as 'camera=0.5'; raises SettingsError.

    They must add up to 1: otherwise they would rescale the learning rate.
    """
    gates: dict[str, float] = {}
    for entry in entries:
        name, _, number = entry.partition('=')
        try:
            gates[name] = float(number)
        except ValueError as err:
            raise SettingsError(f'gates has {entry!r}: it must be like camera=0.5') from err
        if not (isfinite(gates[name]) and gates[name] >= 0.0):
            raise SettingsError(f'gates has {entry!r}: a weight is at least 0')
    if entries and not isclose(sum(gates.values()), 1.0, abs_tol=1e-6):
        raise SettingsError(f'gates add up to {sum(gates.values()):g}: it must be 1')
    return gates


class ModalityGating:
    """Aggregation rule `sum_m alpha_m D^m`, `sum_m alpha_m = 1` [P].

    `D^m` is the mean change, weighted by windows, of the areas that have modality m [R]. For each
    tensor the gates are divided among the areas that sent it: a gate without such an area is left
    out and the others keep their proportions. A tensor that no open gate has sent stays.
    """

    def __init__(self, gates: Mapping[str, float]) -> None:
        """`gates`: weight by modality; empty: equal weights of the modalities that take part."""
        self._gates = dict(gates)

    def __call__(
        self, contributions: Sequence[Contribution], reference: Tensors,
    ) -> dict[str, FloatArray]:
        """Return the next model, or the aggregate from which a server optimizer steps."""
        result = dict(reference)
        for name in sorted({name for item in contributions for name in item.tensors}):
            senders = [item for item in contributions if name in item.tensors]
            weighted = list(zip(senders, self.shares(senders), strict=True))
            if any(share > 0.0 for _, share in weighted):
                updates = [({name: item.tensors[name]}, share) for item, share in weighted]
                result[name] = average(updates, {name: reference[name]})[name]
        return result

    def shares(self, senders: Sequence[Contribution]) -> list[float]:
        """Return each sender's weight: its share of windows in every gate of its modalities."""
        windows: dict[str, int] = {}
        for item in senders:
            for modality in set(item.modalities):
                windows[modality] = windows.get(modality, 0) + item.windows
        gates = self._gates or dict.fromkeys(windows, 1.0)
        return [sum(gates.get(modality, 0.0) * item.windows / windows[modality]
                    for modality in sorted(set(item.modalities))) for item in senders]
