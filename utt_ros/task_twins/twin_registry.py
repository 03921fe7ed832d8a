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

"""Registry of the task twins of one area: ids, changes of status, versions of models."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

from utt_ros.errors import TwinError
from utt_ros.task_twins.registry_file import (
    RegistryState,
    make_room,
    with_native_twins,
    with_twins,
)
from utt_ros.task_twins.registry_folder import TwinFolder, WriteModel
from utt_ros.task_twins.types import (
    ModelReference,
    TaskTwin,
    check_twin,
    find_twin,
    native_id,
)

MAX_TWIN_VERSIONS = 4  # former models of one twin that are kept
FIRST_NUMBER = 2  # of a made twin; the native one is the first


class TwinRegistry:
    """Task twins of one area; may be used by several threads.

    A change that is refused raises TwinError and changes nothing, also when it cannot be written.
    Listeners are called after each change, in the thread that made it.
    """

    def __init__(
        self, folder: Path, area: str, modalities: Sequence[str], clock_ns: Callable[[], int],
    ) -> None:
        """Open the folder; without a registry, begin with the native twins of `modalities`.

        A registry that cannot be read is moved aside with its folder, see `problem`. Raises
        TwinError when the folder belongs to another area or cannot be read.
        """
        self.revision = 0  # number of changes since start
        self._folder, self._area, self._clock_ns = TwinFolder(folder), area, clock_ns
        self._lock = RLock()
        self._listeners: list[Callable[[], None]] = []
        self._state, self.problem = self._folder.open(area)  # a sentence, empty when all is sound
        self._reserved = dict(self._state.numbers)
        self._begin(modalities)

    @property
    def twins(self) -> tuple[TaskTwin, ...]:
        """All twins, retired ones included, sorted by id."""
        twins = self._state.twins
        return tuple(twins[name] for name in sorted(twins))

    @property
    def serving(self) -> tuple[TaskTwin, ...]:
        """Twins in service that are not native, sorted by id."""
        return tuple(
            twin for twin in self.twins if twin.status == 'serving' and not twin.is_native)

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def get(self, twin_id: str) -> TaskTwin:
        """Return a twin, retired or not. Raises TwinError, with ids that are close to it."""
        return find_twin(self._state.twins, twin_id)

    def live(self, twin_id: str) -> TaskTwin:
        """Return a twin that is not retired; raises TwinError."""
        twin = self.get(twin_id)
        if twin.status == 'retired':
            raise TwinError(f'task twin {twin_id} is retired')
        return twin

    def path(self, twin: TaskTwin) -> Path:
        """Return the path of its model file; raises TwinError for a twin without one."""
        if twin.follows:
            raise TwinError(f'{twin.id} has no model file: it follows the model of {self._area}')
        return self._folder.path / twin.model.file

    def register(self, proposed: TaskTwin, write: WriteModel | None = None) -> TaskTwin:
        """Put a made twin in service; return it with id, file, `replaces`, status and creation.

        The serving twin of the same task is paused. `write` writes the model to the path that it
        is given and raises OSError; without it the twin follows the area's model.
        """
        return self.register_all([(proposed, write)])[0]

    def register_all(
        self, proposed: Sequence[tuple[TaskTwin, WriteModel | None]],
    ) -> tuple[TaskTwin, ...]:
        """Put made twins of different tasks in service, all of them or none; see `register`."""
        files: list[str] = []
        try:
            twins = [self._write(wanted, write, files) for wanted, write in proposed]
            with self._lock:
                state, made = self._state, []
                for twin in twins:
                    former = self._in_service(twin.task)
                    made.append(replace(
                        twin, replaces=former.id if former else '', status='serving',
                        pinned=False, created_ns=self._clock_ns()))
                    paused = [] if former is None else [replace(former, status='paused')]
                    state = with_twins(make_room(state), made[-1], *paused)
                self._commit(state)
        except TwinError:
            self._folder.remove(files)
            raise
        self._notify()
        return tuple(made)

    def follow(self, model: ModelReference) -> None:
        """Note the area's current model in all twins that follow it."""
        with self._lock:
            changed = [
                replace(twin, model=model) for twin in self.twins
                if twin.follows and twin.status != 'retired' and twin.model != model]
            if not changed:
                return
            self._commit(with_twins(self._state, *changed))
        self._notify()

    def pause(self, twin_id: str) -> tuple[TaskTwin, str]:
        """Take a twin out of service; return it with a sentence, as the other changes do."""
        with self._lock:
            twin = self._made(twin_id, 'paused')
            if twin.status == 'paused':
                return twin, f'{twin_id} is paused already'
            twin = replace(twin, status='paused')
            self._commit(with_twins(self._state, twin))
        self._notify()
        return twin, f'{twin_id} is paused: it publishes nothing'

    def resume(self, twin_id: str) -> tuple[TaskTwin, str]:
        """Put a paused twin in service; refused while another of its task serves."""
        with self._lock:
            twin = self._made(twin_id, 'resumed')
            if twin.status == 'serving':
                return twin, f'{twin_id} serves already'
            twin = self._served(twin)
            self._commit(with_twins(self._state, twin))
        self._notify()
        return twin, f'{twin_id} serves again'

    def pin(self, twin_id: str, model: ModelReference, write: WriteModel) -> tuple[TaskTwin, str]:
        """Fix a twin that follows its area to `model`, which `write` writes."""
        with self._lock:
            twin = self._made(twin_id, 'pinned')
            if not twin.follows:
                reason = 'is pinned already' if twin.pinned else 'has a model of its own'
                raise TwinError(f'{twin_id} {reason}, {twin.model.file}')
            used = [_version(item.model.file) for item in self._state.earlier.get(twin_id, ())]
            file = self._folder.write_model(twin_id, 1 + max(used, default=0), write)
            twin = replace(twin, model=replace(model, file=file), pinned=True)
            self._commit(with_twins(self._state, twin), written=file)
        self._notify()
        return twin, f'{twin_id} is pinned to the model of round {model.round}'

    def unpin(self, twin_id: str, model: ModelReference) -> tuple[TaskTwin, str]:
        """Have a pinned twin follow the area's model again; the pinned one can be rolled back to.

        `model`: the area's current one.
        """
        with self._lock:
            pinned = self._made(twin_id, 'unpinned')
            if not pinned.pinned:
                reason = (f'follows the model of {self._area}' if pinned.follows
                          else 'was trained for itself')
                raise TwinError(f'{twin_id} is not pinned: it {reason}')
            twin = replace(pinned, model=replace(model, file=''), pinned=False)
            versions = (*self._state.earlier.get(twin_id, ()), pinned)[-MAX_TWIN_VERSIONS:]
            self._commit(replace(
                with_twins(self._state, twin), earlier={**self._state.earlier, twin_id: versions}))
        self._notify()
        return twin, f'{twin_id} follows the model of {self._area} again'

    def rollback(self, twin_id: str) -> tuple[TaskTwin, str]:
        """Return to the former version of a twin; without one, to the twin that it replaced."""
        with self._lock:
            twin = self._made(twin_id, 'rolled back')
            versions = self._state.earlier.get(twin_id, ())
            if versions:
                state, twin, sentence = self._former_version(twin, versions)
            elif twin.replaces:
                former = self._state.twins.get(twin.replaces)
                if former is None or former.status == 'retired':
                    raise TwinError(f'{twin_id} replaced {twin.replaces}, which is retired: '
                                    f'remove {twin_id} instead')
                state = with_twins(self._state, replace(twin, status='retired'))
                twin = self._served(former, besides=twin_id)
                state = with_twins(state, twin)
                sentence = f'{twin_id} is retired: {twin.id}, which it replaced, serves again'
            else:
                twin = replace(twin, status='retired')
                state = with_twins(self._state, twin)
                sentence = f'{twin_id} is retired: it replaced no other task twin'
            self._commit(state)
        self._notify()
        return twin, sentence

    def remove(self, twin_id: str) -> tuple[TaskTwin, str]:
        """Retire a twin for good: its model files are removed, its record stays for lineage."""
        with self._lock:
            twin = replace(self._made(twin_id, 'removed'), status='retired')
            self._commit(with_twins(self._state, twin))
        self._notify()
        return twin, f'{twin_id} is retired and its model removed'

    def _write(
        self, proposed: TaskTwin, write: WriteModel | None, files: list[str],
    ) -> TaskTwin:
        """Write the model of a twin that gets a new id; append the file."""
        if proposed.area != self._area or proposed.is_native:
            raise TwinError(f'{proposed.operation} twin of area {proposed.area!r} cannot be '
                            f'registered in {self._area}: a made twin of {self._area} can')
        twin = check_twin(replace(proposed, id=self._new_id(proposed.task)))
        if write is None:
            return replace(twin, model=replace(twin.model, file=''))
        files.append(self._folder.write_model(twin.id, 1, write))
        return replace(twin, model=replace(twin.model, file=files[-1]))

    def _former_version(
        self, twin: TaskTwin, versions: Sequence[TaskTwin],
    ) -> tuple[RegistryState, TaskTwin, str]:
        former = replace(versions[-1], status=twin.status, replaces=twin.replaces)
        earlier = {**self._state.earlier, twin.id: tuple(versions[:-1])}
        return (replace(with_twins(self._state, former), earlier=earlier), former,
                f'{twin.id} uses its former model again, of round {former.model.round}')

    def _made(self, twin_id: str, deed: str) -> TaskTwin:
        twin = self.live(twin_id)
        if twin.is_native:
            raise TwinError(f'{twin_id} is the native twin of a sensor: it cannot be {deed}')
        return twin

    def _in_service(self, task: str, besides: str = '') -> TaskTwin | None:
        return next((twin for twin in self.serving
                     if twin.task == task and twin.id != besides), None)

    def _served(self, twin: TaskTwin, besides: str = '') -> TaskTwin:
        """Return the twin in service. Raises TwinError when that cannot be."""
        other = self._in_service(twin.task, besides)
        if other is not None and other.id != twin.id:
            raise TwinError(f'{other.id} serves {twin.task} in {self._area}: pause it or roll it '
                            f'back before {twin.id} serves')
        if not twin.follows and not self.path(twin).is_file():
            raise TwinError(f'{twin.id} cannot serve: its file {twin.model.file} is missing')
        return replace(twin, status='serving')

    def _new_id(self, task: str) -> str:
        with self._lock:
            number = max(self._reserved.get(task, 0) + 1, FIRST_NUMBER)
            self._reserved[task] = number
        return f'{native_id(self._area, task)}_{number}'

    def _begin(self, modalities: Sequence[str]) -> None:
        state = with_native_twins(self._state, modalities, self._clock_ns)
        try:
            if state != self._state:
                self._commit(state)
        except TwinError as err:
            self._state, self.problem = state, self.problem or str(err)

    def _commit(self, state: RegistryState, written: str = '') -> None:
        live = {twin.id for twin in state.twins.values() if twin.status != 'retired'}
        earlier = {name: items for name, items in state.earlier.items() if name in live and items}
        state = replace(state, numbers={**state.numbers, **self._reserved}, earlier=earlier)
        self._folder.commit(self._state, state, written)
        self._state = state
        self.revision += 1

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()


def _version(file: str) -> int:
    """Return the number in the name of a model file, 1 for the first version."""
    found = re.search(r'\.([0-9]+)\.', file)
    return int(found[1]) if found else 1
