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

"""Folder of the task twins of one area: their registry and the model files that it names.

    registry.json                    all records; a change is made when this file is replaced
    <id>.safetensors                 model of a twin that has one of its own
    <id>.<k>.safetensors             later versions of it

A model file is written before the record that names it, under a new name, so that a process that
is killed in between leaves the registry as it was.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from utt_ros.documents import MAX_DOCUMENT_BYTES
from utt_ros.errors import DocumentError, TwinError
from utt_ros.files import read_limited, remove_leftovers, sync_folder, write_atomically
from utt_ros.task_twins.registry_file import (
    REGISTRY_FILE,
    RegistryState,
    dump_registry,
    parse_registry,
)
from utt_ros.task_twins.types import TASKS, native_id

WriteModel = Callable[[Path], None]  # raises OSError
MODEL_SUFFIX = '.safetensors'
MAX_LINE = 4096  # characters of a damaged registry that are looked through at once


class TwinFolder:
    """Reads and writes the task twins of one area below its state folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, area: str) -> tuple[RegistryState, str]:
        """Return the registry and a sentence about what is wrong with it, empty when it is sound.

        A damaged registry is moved aside with its folder. A serving twin whose model file is
        missing is paused. Raises TwinError, and touches nothing, when the folder belongs to
        another area or cannot be read.
        """
        path = self.path / REGISTRY_FILE
        try:
            state = parse_registry(read_limited(path, MAX_DOCUMENT_BYTES))
        except FileNotFoundError:
            return RegistryState(area, numbers=self._numbers_aside(area)), ''
        except OSError as err:
            raise TwinError(f'{path} cannot be read: {err}') from err
        except (TwinError, DocumentError) as err:
            return self._begin_anew(area, f'{path}: {err}')
        if state.area != area:
            raise TwinError(f'{self.path} holds the task twins of {state.area}: '
                            f'give {area} a state_dir of its own')
        self._remove_remains(state)
        return self._without_missing_files(state)

    def commit(self, old: RegistryState, new: RegistryState, written: str = '') -> None:
        """Replace the registry, then remove the files that it no longer names.

        `written`: file of the new state, removed when the state cannot be written; TwinError then.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / REGISTRY_FILE, dump_registry(new))
        except OSError as err:
            self.remove({written} - {''})
            raise TwinError(f'the task twins of {new.area} cannot be written: {err}') from err
        self.remove(old.files() - new.files())

    def write_model(self, twin_id: str, version: int, write: WriteModel) -> str:
        """Write the model of a twin; return the file name. Raises TwinError."""
        name = f'{twin_id}.{version}{MODEL_SUFFIX}'.replace('.1.', '.', 1)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write(self.path / name)
        except OSError as err:
            raise TwinError(f'the model of {twin_id} cannot be written: {err}') from err
        return name

    def _begin_anew(self, area: str, problem: str) -> tuple[RegistryState, str]:
        aside = next(path for number in range(1, 1_000_000)
                     if not (path := self._aside(str(number))).exists())
        try:
            self.path.rename(aside)
            sync_folder(aside.parent)
        except OSError as err:
            raise TwinError(f'{problem}; it cannot be moved aside: {err}') from err
        return (RegistryState(area, numbers=self._numbers_aside(area)),
                f'{problem}; it is kept in {aside}, and {area} begins with its native twins')

    def _aside(self, number: str) -> Path:
        return self.path.with_name(f'{self.path.name}.damaged-{number}')

    def _numbers_aside(self, area: str) -> dict[str, int]:
        """Return the largest numbers in damaged registries, so that no id is used again.

        Raises TwinError when one cannot be read.
        """
        numbers: dict[str, int] = {}
        for folder in self.path.parent.glob(self._aside('*').name):
            path = folder / REGISTRY_FILE
            try:
                with path.open(errors='replace') as file:
                    for line in iter(lambda: file.readline(MAX_LINE), ''):
                        _note_numbers(line, area, numbers)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as err:
                raise TwinError(f'{path} cannot be read: {err}; its ids must not be given '
                                'again') from err
        return numbers

    def _remove_remains(self, state: RegistryState) -> None:
        """Remove files of a killed process: temporary ones, and models that no record names."""
        named = state.files()
        remove_leftovers(self.path)
        self.remove(path.name for path in self.path.glob(f'*{MODEL_SUFFIX}')
                     if path.name not in named)

    def _without_missing_files(self, state: RegistryState) -> tuple[RegistryState, str]:
        missing = [twin for twin in state.twins.values()
                   if twin.status == 'serving' and twin.model.file
                   and not (self.path / twin.model.file).is_file()]
        if not missing:
            return state, ''
        paused = {twin.id: replace(twin, status='paused') for twin in missing}
        files = ', '.join(twin.model.file for twin in missing)
        return (replace(state, twins=state.twins | paused),
                f'{files} missing in {self.path}: paused {", ".join(paused)}')

    def remove(self, names: Iterable[str]) -> None:
        """Remove model files with their cards."""
        for name in names:
            for path in (self.path / name, (self.path / name).with_suffix('.json')):
                path.unlink(missing_ok=True)


def _note_numbers(text: str, area: str, numbers: dict[str, int]) -> None:
    """Raise the number of each task to the largest of its ids in a text."""
    for task in TASKS:
        found = re.findall(rf'\b{native_id(area, task)}_([0-9]{{1,9}})\b', text)
        numbers[task] = max([numbers.get(task, 0), *map(int, found)])
