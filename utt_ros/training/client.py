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

"""Federated client of an area: load the global model, evaluate it, train it, send an update.

Without a federation the area trains alone and counts its own rounds.
"""

from dataclasses import dataclass, replace
from math import nan
from pathlib import Path

import numpy as np

from utt_ros.errors import ModelError, UttError
from utt_ros.federation.checkpoints import Checkpoint, LatestCheckpoint
from utt_ros.federation.compression import known_compression
from utt_ros.federation.model_gate import ModelGate
from utt_ros.federation.signing import Verifier
from utt_ros.federation.types import Deployment, GlobalModel, Report, Update
from utt_ros.federation.update_maker import UpdateMaker
from utt_ros.federation.wire import pack
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import live_exporter
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.starting_model import read_initial_model
from utt_ros.models.twin import check_weights, initial_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.dataset import merge_windows
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.trainer import area_trainer
from utt_ros.training.training_inbox import TrainingInbox

CHECKPOINT = 'model.safetensors'
MAX_PROBLEM = 500  # characters of a sentence
MAX_OBSERVED_WINDOWS = 256  # at a time: one by one they cost several times as much
ALONE = 'alone'


@dataclass(frozen=True, slots=True)
class ClientProblem:
    """Sentence about an input that was refused or an action that failed; the client goes on."""

    text: str


ClientEvent = Deployment | Report | Update | ClientProblem


class FederatedClient:
    """State machine of an area's rounds, for one thread.

    `inbox`, `gate`, `updates.refuse`, `follow_round`, `settings` and `paused` are for any thread.
    The inbox takes models that the gate admits. While `paused`, models are deployed and windows
    kept, but nothing is trained or evaluated.
    """

    def __init__(
        self, area: AreaSettings, window: WindowSettings, model: ModelSettings,
        learning: LearningSettings, settings: TrainerSettings, *,
        verifier: Verifier | None = None,
    ) -> None:
        """`model`: the initial model of an area that trains alone, unless a file holds it.

        Without `verifier` every aggregator is believed. Raises ModelError when that file is needed
        and does not fit.
        """
        self.inbox = TrainingInbox()
        self.gate = ModelGate(settings.federation, settings.max_model_bytes, verifier)
        self.trainer = area_trainer(model, window, area, learning)
        self.updates = UpdateMaker(area.area)
        self.current: Checkpoint | None = None
        self.problems = 0
        self.problem = ''  # the last one
        self.settings = settings
        self.paused = False
        self._area, self._window, self._learning = area, window, learning
        self._exporter = live_exporter(len(area.ap_positions))
        self._stored = LatestCheckpoint(Path(settings.state_dir).expanduser() / CHECKPOINT)
        self._checksum = ''  # of the current model's payload
        self._steps_left, self._reported = 0, True
        self._losses: list[float] = []
        self._loss = nan
        self._needed: int | None = None  # windows before the next training; None: min_windows
        self._closed: tuple[str, int] | None = None  # federation and round
        self._initial: Checkpoint | None = None
        if not settings.federated and not self._stored.exists:
            self._initial = self._read_initial()
        self._pinned = False
        self._held: GlobalModel | None = None  # newest model that a pinned one keeps waiting

    @property
    def note(self) -> str:
        """Reasons why the model in use is not trained or not replaced; may be empty."""
        current, held = self.current, self._held
        pinned = f'the model of round {current.round} is pinned' if (
            self._pinned and current) else ''
        return '; '.join(filter(None, (
            'training is paused' * self.paused,
            'learn is false' * (not self.settings.learn),
            f'{pinned}: that of round {held.round} waits' if pinned and held else pinned)))

    def resume(self) -> list[ClientEvent]:
        """Deploy the model of the previous process; without one, an area alone starts anew."""
        path = self._stored.path
        events: list[ClientEvent] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            checkpoint, problems = self._stored.read()
            for problem in problems:
                events += self._problem(f'{path} is not used: {problem}')
            if checkpoint is not None:
                events += self._adopt(checkpoint)
        except (ModelError, OSError) as err:
            events += self._problem(f'{path} is not used: {err}')
        if self.current is None and not self.settings.federated:
            events += self._begin_alone()
        return events

    def follow_round(self, federation: str, round_: int, *, completed: bool) -> None:
        """Note, from any thread, whether an update of that round would be late.

        An aggregator with more `max_rounds` may reopen the last round of a federation.
        """
        self._closed = (federation, round_) if completed else None

    def step(self, wait_sec: float) -> list[ClientEvent]:
        """Take the inbox, then do one piece of work; wait only when there is none."""
        self.inbox.serve_requests()
        idle = not self._steps_left or not self._ready
        model, arrived = self.inbox.take(wait_sec if idle else 0.0)
        for windows in merge_windows(arrived, MAX_OBSERVED_WINDOWS):
            self.trainer.memory.observe(windows, self._area, self._window)
        if not self._pinned:
            model, self._held = model or self._held, None
        if model is not None:
            return self._receive(model)
        return self._train() if self._steps_left and self._ready else []

    def pin(self, on: bool) -> str:
        """Keep the model in use while newer ones wait, or release it. Raises ModelError."""
        current, held = self._current(), self._held
        self._pinned = on
        if on:
            return f'the model of round {current.round} is pinned: newer ones wait'
        return f'that of round {held.round} follows' if held else 'newer models are used again'

    def save_checkpoint(self) -> str:
        """Write the global model; of an area alone, the weights trained so far.

        Raises ModelError when there is no model or it cannot be written.
        """
        checkpoint = self._current()
        if not self.settings.federated:
            checkpoint = replace(checkpoint, tensors=read_weights(self.trainer.twin))
        try:
            self._stored.write(checkpoint, pack(checkpoint.tensors).checksum)
        except OSError as err:
            raise ModelError(f'round {checkpoint.round} cannot be written: {err}') from err
        return f'the model of round {checkpoint.round} is written to {self._stored.path}'

    @property
    def _observed(self) -> int:
        return self.trainer.memory.training.added

    @property
    def _ready(self) -> bool:
        current, settings = self.current, self.settings
        if self.paused or not settings.learn or (self._pinned and not settings.federated):
            return False
        over = current and self._closed == (current.federation, current.round)
        needed = settings.min_windows if self._needed is None else self._needed
        return self._observed >= needed and not (over and self._reported)

    def _receive(self, model: GlobalModel) -> list[ClientEvent]:
        current = self.current
        if current is not None and (model.federation, model.round, model.checksum) == (
                current.federation, current.round, self._checksum):
            self.current = replace(current, compression=known_compression(model.compression))
            return []
        if self._pinned:
            self._held = model
        if self._pinned or model.base not in {'', self._checksum}:  # overtaken by the whole model
            return []
        try:
            load_config(model.config)  # cheaper than the tensors
            checkpoint = self.updates.open(model, self.settings.max_model_bytes, current)
            events = self._adopt(checkpoint)
        except Exception as err:  # noqa: BLE001 - no message, however malformed, ends training
            reason = str(err) if isinstance(err, UttError) else repr(err)
            return self._problem(
                f'model of round {model.round} of {model.federation[:64]!r} is refused: {reason}')
        self.gate.join(model.federation)
        self._needed = self._closed = None
        return [*events, *self._save(checkpoint)]

    def _adopt(self, checkpoint: Checkpoint) -> list[ClientEvent]:
        """Load and deploy a model; raises ModelError, and changes nothing, if it does not fit."""
        model, window = load_config(checkpoint.config)
        if window != self._window:
            raise ModelError(f'it is for {window}: this area has {self._window}')
        trainer, exporter = self.trainer, self._exporter
        if model != trainer.twin.settings:
            check_weights(model, window, checkpoint.tensors)
            trainer = area_trainer(model, window, self._area, self._learning, trainer.memory)
            exporter = live_exporter(len(self._area.ap_positions))
        trainer.load(checkpoint.tensors)
        self.trainer, self._exporter, self.current = trainer, exporter, checkpoint
        self._checksum = pack(checkpoint.tensors).checksum
        self.gate.base = self._checksum
        self.updates.begin(checkpoint, self._checksum)
        self._steps_left = self.settings.local_steps
        self._reported, self._losses = False, []
        return [Deployment(
            self._area.area, checkpoint.federation, checkpoint.round, checkpoint.config,
            exporter.export(trainer.twin))]

    def _save(self, checkpoint: Checkpoint) -> list[ClientEvent]:
        try:
            self._stored.write(checkpoint, self._checksum)
        except OSError as err:
            return self._problem(f'round {checkpoint.round} is not kept: {err}')
        return []

    def _train(self) -> list[ClientEvent]:
        if not self._reported:
            self._reported = True
            return [self._report()]
        self._losses.append(self.trainer.train(1))
        self._steps_left -= 1
        return [] if self._steps_left else self._finish()

    def _report(self) -> Report:
        trainer, found = self.trainer, self.trainer.evaluate()
        return Report(
            self._area.area, self._current().round, trainer.window_count,
            len(trainer.memory.held_out), trainer.steps, self._loss, found.nmse, found.gates)

    def _finish(self) -> list[ClientEvent]:
        current, tensors = self._current(), self.trainer.update()
        finite = [loss for loss in self._losses if np.isfinite(loss)]
        self._loss = float(np.mean(finite)) if finite else nan
        if not tensors:
            return self._try_again(current)
        if not self.settings.federated:
            return self._next_alone(current)
        return [self.updates.make(
            current, self.trainer.window_count, self.trainer.modalities, tensors)]

    def _try_again(self, current: Checkpoint) -> list[ClientEvent]:
        """Train the same model after another batch of windows: other areas may be waiting."""
        self._needed = self._observed + self._learning.batch
        self._steps_left, self._losses = self.settings.local_steps, []
        return self._problem(f'round {current.round}: nothing could be trained')

    def _begin_alone(self) -> list[ClientEvent]:
        model = self.trainer.twin.settings
        initial = self._initial or self._read_initial() or Checkpoint(
            ALONE, 0, dump_config(model, self._window),
            initial_weights(model, self._window, self._learning.seed))
        self._initial = None
        return self._adopt(initial)

    def _read_initial(self) -> Checkpoint | None:
        """Read the model file of the settings; None without one. Raises ModelError."""
        if not self.settings.initial_model:
            return None
        path = Path(self.settings.initial_model).expanduser()
        weights, config = read_initial_model(path, self.trainer.twin.settings, self._window)
        load_model(path)  # its scaling and shapes are those of this program
        return Checkpoint(ALONE, 0, config, weights)

    def _next_alone(self, current: Checkpoint) -> list[ClientEvent]:
        """Close a round of an area alone; the next one needs another batch of windows."""
        self._needed = self._observed + self._learning.batch
        following = replace(
            current, round=current.round + 1, tensors=read_weights(self.trainer.twin))
        return [*self._adopt(following), *self._save(following)]

    def _current(self) -> Checkpoint:
        if self.current is None:
            raise ModelError('there is no model yet')
        return self.current

    def _problem(self, text: str) -> list[ClientEvent]:
        self.problems += 1
        self.problem = text[:MAX_PROBLEM]
        return [ClientProblem(self.problem)]
