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

"""State of an aggregator at its start: the federation of its folder, or a new one."""

from collections.abc import Callable

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.initial_model import InitialModel
from utt_ros.federation.server import new_federation
from utt_ros.federation.settings import AggregatorSettings


class FederationState:
    """State folder of an aggregator, and the child process that computes a first model.

    Raises ModelError where the folder cannot be used, and SettingsError where it holds another
    configuration than `config`, JSON. `load_config` parses one; it raises ModelError.
    """

    def __init__(
        self, settings: AggregatorSettings, config: str, load_config: Callable[[str], object],
    ) -> None:
        self.store = CheckpointStore(settings.state_path, settings.keep)
        self._config = config
        self._initial: InitialModel | None = None
        self._newest, self.problems = self.store.newest()
        if self._newest is None:
            self._initial = InitialModel(config, settings.seed, settings.state_path)
        else:
            self._compare(self._newest.config, load_config)

    def begin(self) -> Checkpoint | None:
        """Return the newest checkpoint, None while the first one is computed.

        Raises ModelError when that fails.
        """
        if self._newest is None and self._initial is not None:
            tensors = self._initial.poll()
            if tensors is not None:
                self._newest = new_federation(self.store, self._config, tensors)
        return self._newest

    def close(self) -> None:
        """End the child process and release the folder."""
        if self._initial is not None:
            self._initial.close()
        self.store.close()

    def _compare(self, config: str, load_config: Callable[[str], object]) -> None:
        try:
            held = load_config(config)
        except ModelError as err:
            raise SettingsError(f'{self.store.folder} holds a federation that this program '
                                f'cannot resume: {err}') from err
        if held != load_config(self._config):
            raise SettingsError(f'{self.store.folder} holds a federation with the configuration '
                                f'{config}: the parameters are {self._config}')
