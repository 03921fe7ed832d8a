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

"""`utt transfer|merge|split --data`: operations on saved models and recordings."""

import argparse
import sys
import tempfile
from pathlib import Path

from utt_ros.cli.operation_output import operation_bar, stop_request
from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import split_list
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.registry_folder import MODEL_SUFFIX
from utt_ros.task_twins.running_operation import OperationCanceled
from utt_ros.training.offline_operation import (
    operate_offline,
    read_source,
    recordings_of_area,
    write_outcome,
)
from utt_ros.training.trainer import use_one_thread


def run_offline(
    args: argparse.Namespace, request: OperationRequest,
) -> tuple[OperationOutcome, str]:
    """Make models and write them; return the outcome and a sentence. Raises UttError."""
    several = len(request.target_areas) > 1 or len(request.target_tasks) > 1
    _check_out(args.out, several=several)
    use_one_thread()
    with tempfile.TemporaryDirectory() as cache:
        data = recordings_of_area(args.data, Path(cache), args.area)
    for note in data.notes:
        print(f'utt {args.command}: {note}', file=sys.stderr)
    (area,) = data.areas
    modalities = split_list(args.modalities)
    task = request.target_tasks[0] if request.target_tasks else ''
    sources = [read_source(Path(name), area, modalities, task) for name in request.sources]
    with operation_bar() as show, stop_request() as is_stopped:

        def watch(progress: OperationProgress) -> None:
            if is_stopped():
                raise OperationCanceled(f'{request.name} was canceled')
            show(progress)

        outcome = operate_offline(request, sources, data, watch)
    paths = write_outcome(outcome, args.out)
    return outcome.operation, f'{", ".join(map(str, paths))}: {outcome.operation.sentence}'


def _check_out(out: Path, *, several: bool) -> None:
    folder = out.absolute().parent
    if several and (out.suffix == MODEL_SUFFIX or not folder.is_dir() or out.is_file()):
        raise SettingsError(f'--out is {out}: several models are made, so it must be a folder')
    if not several and (out.suffix != MODEL_SUFFIX or not folder.is_dir()):
        raise SettingsError(
            f'--out is {out}: it must be a {MODEL_SUFFIX} file in an existing folder')
