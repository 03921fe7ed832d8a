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

"""Suites of `utt evaluate`, by name: each lists its units of work for a study."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from utt_ros.errors import SettingsError

if TYPE_CHECKING:  # `utt evaluate --help` lists the suites without pandas and torch
    from utt_ros.evaluation.results import Unit
    from utt_ros.evaluation.trained_models import Study

SUITES = ('operations', 'withheld', 'fewshot', 'fusors', 'federation', 'tasks', 'association')

UNTRAINED_SUITES = ('operations', 'withheld', 'fewshot', 'tasks')  # of untrained methods, too


def suite_units(name: str, study: 'Study') -> 'Sequence[Unit]':
    """List the units of a suite, in an order in which they can run; raises SettingsError.

    There are none where every method would have to be trained and the data have no train split.
    """
    if name not in SUITES:
        raise SettingsError(f'suite is {name!r}: it must be one of {", ".join(SUITES)}')
    if not study.trainable and name not in UNTRAINED_SUITES:
        return ()
    module = import_module(f'{__name__}.{name}_suite')
    units: Callable[[Study], Sequence[Unit]] = getattr(module, f'{name}_units')
    return units(study)
