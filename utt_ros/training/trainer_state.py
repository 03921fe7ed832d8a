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

"""State of a trainer besides weights and windows, to go on in another process."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from utt_ros.documents import load_json
from utt_ros.errors import DocumentError, ModelError
from utt_ros.federation.wire import Tensors


@dataclass(frozen=True, slots=True)
class LearnerState:
    """Moments of the optimiser, and counters: steps, learning rates, random numbers."""

    moments: Tensors
    counters: str  # JSON


def dump_counters(
    steps: int, skipped: int, rates: dict[str, float], rngs: list[np.random.Generator],
) -> str:
    """Return the counters of a state."""
    return json.dumps({'steps': steps, 'skipped': skipped, 'rates': rates,
                       'rngs': [rng.bit_generator.state for rng in rngs]}, sort_keys=True)


def load_counters(text: str, rngs: list[np.random.Generator]) -> dict[str, Any]:
    """Read the counters and set the random numbers; raises ModelError for other text."""
    try:
        content: dict[str, Any] = load_json(text)
        for rng, state in zip(rngs, content['rngs'], strict=True):
            rng.bit_generator.state = state
    except (DocumentError, KeyError, TypeError, ValueError) as err:
        raise ModelError(f'state of a trainer: {type(err).__name__}: {err}') from err
    return content
