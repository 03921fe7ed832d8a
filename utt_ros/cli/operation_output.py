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

"""Progress and outcome of an operation on a terminal, and its end by Ctrl-C."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isnan
from types import FrameType
from typing import Any

from tqdm import tqdm

from utt_ros.task_twins.operation_request import OperationOutcome, OperationProgress
from utt_ros.task_twins.twin_tables import channel_table


def outcome_table(outcome: OperationOutcome) -> list[str]:
    """Return the errors per channel of the made twins, and what they cost."""
    cost = (f'{outcome.seconds:.1f} s, {outcome.windows} windows, '
            f'{outcome.bytes} bytes to other areas')
    return [*channel_table(outcome.twins), cost]


def outcome_content(outcome: OperationOutcome) -> dict[str, Any]:
    """Return the outcome for JSON; null: not judged."""
    return {**asdict(outcome), 'nmse_before': [
        None if isnan(value) else value for value in outcome.nmse_before]}


@contextmanager
def operation_bar() -> Iterator[Callable[[OperationProgress], None]]:
    """Show the progress of an operation on a terminal."""
    with tqdm(unit='step', leave=False, disable=None) as bar:

        def show(progress: OperationProgress) -> None:
            bar.set_description(progress.phase, refresh=False)
            if progress.steps:
                bar.total, bar.n = progress.steps, progress.step
                bar.set_postfix(_postfix(progress), refresh=False)
            bar.refresh()

        yield show


def _postfix(progress: OperationProgress) -> dict[str, str]:
    left = '?' if isnan(progress.seconds_left) else f'{progress.seconds_left:.0f} s'
    return {'loss': f'{progress.loss:.4f}', 'windows': str(progress.windows), 'left': left}


@contextmanager
def stop_request() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns True after Ctrl-C; a second Ctrl-C interrupts."""
    stopped = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    former = {number: signal.signal(number, on_signal)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: stopped
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
