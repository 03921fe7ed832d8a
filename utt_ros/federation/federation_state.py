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
from pathlib import Path

from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.initial_model import InitialModel
from utt_ros.federation.server import new_federation
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.wire import Tensors


class FederationState:
    """State folder of an aggregator, and the child process that computes a first model.

    `config` is that of a computed model, JSON. `check_config` raises SettingsError when the
    configuration that a folder holds cannot be resumed. `read_initial` reads weights and
    configuration of a first model that is not computed. Raises their errors, and ModelError where
    the folder cannot be used.
    """

    def __init__(
        self, settings: AggregatorSettings, config: str,
        check_config: Callable[[str, Path], None],
        read_initial: Callable[[], tuple[Tensors, str]] | None = None,
    ) -> None:
        self.store = CheckpointStore(settings.state_path, settings.keep)
        self._config = config
        self._initial: InitialModel | None = None
        self._newest, self.problems = self.store.newest()
        if self._newest is not None:
            check_config(self._newest.config, self.store.folder)
        elif read_initial is None:
            self._initial = InitialModel(config, settings.seed, settings.state_path)
        else:
            weights, own_config = read_initial()
            self._newest = new_federation(self.store, own_config, weights)

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
