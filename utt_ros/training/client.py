"""An area's part in a federation: load the global model, judge it, train it, send an update.

Without a federation the area trains alone and counts its own rounds.
"""

from dataclasses import dataclass, replace
from math import nan
from pathlib import Path

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from utt_ros.federation.client_messages import answer, open_model
from utt_ros.federation.types import Deployment, GlobalModel, Report, Update
from utt_ros.federation.wire import pack
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.twin import initial_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.inbox import Inbox
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.trainer import LocalTrainer

CHECKPOINT = 'model.safetensors'
ALONE = 'alone'


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was refused or failed, in one sentence; everything goes on without it."""

    text: str


Event = Deployment | Report | Update | Problem


class Participant:
    """Decides what to do next, in small steps. `inbox` is for any thread, the rest for one."""

    def __init__(
        self, area: AreaSettings, window: WindowSettings, model: ModelSettings,
        learning: LearningSettings, settings: TrainerSettings,
    ) -> None:
        """`model`: what the area begins with when it learns alone."""
        self.inbox = Inbox()
        self.trainer = LocalTrainer(model, window, area, learning)
        self.current: Checkpoint | None = None
        self.problems = 0
        self.problem = ''  # the last one
        self._area, self._window, self._learning = area, window, learning
        self._settings = settings
        self._folder = Path(settings.state_dir).expanduser()
        self._checksum = ''  # of the current model's payload
        self._steps_left = 0
        self._reported = True
        self._losses: list[float] = []
        self._loss = nan
        self._needed = settings.min_windows  # windows seen before the next training
        self._closed: tuple[str, int] | None = None  # federation and round

    def resume(self) -> list[Event]:
        """Deploy what the process before this one worked with; alone, begin if there is none."""
        path = self._folder / CHECKPOINT
        events: list[Event] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                events += self._adopt(read_checkpoint(path))
        except (ModelError, OSError) as err:
            events += self._problem(f'{path} is not used: {err}')
        if self.current is None and not self._settings.federated:
            events += self._begin_alone()
        return events

    def follow_round(self, federation: str, round_: int, *, completed: bool) -> None:
        """Note, from any thread, whether an update of that round would come too late.

        The last round of a federation may be opened again, by an aggregator that wants more.
        """
        self._closed = (federation, round_) if completed else None

    def step(self, wait_sec: float) -> list[Event]:
        """Take what has arrived, then do one piece of work; waits only when there is none."""
        idle = not self._steps_left or not self._ready
        offered, arrived = self.inbox.take(wait_sec if idle else 0.0)
        for windows in arrived:
            self.trainer.observe(windows)
        if offered is not None:
            return self._receive(offered)
        return self._train() if self._steps_left and self._ready else []

    @property
    def _ready(self) -> bool:
        current = self.current
        over = current and self._closed == (current.federation, current.round)
        return self.trainer.kept.added >= self._needed and not (over and self._reported)

    def _receive(self, model: GlobalModel) -> list[Event]:
        current = self.current
        known = current and (current.federation, current.round, self._checksum)
        if known == (model.federation, model.round, model.checksum):
            return []
        try:
            tensors = open_model(model, self._settings.max_model_bytes)
            checkpoint = Checkpoint(model.federation, model.round, model.config, tensors)
            events = self._adopt(checkpoint)
            self._needed, self._closed = self._settings.min_windows, None
            return [*events, *self._keep(checkpoint)]
        except ModelError as err:
            return self._problem(
                f'model of round {model.round} of {model.federation[:64]!r} is refused: {err}')

    def _adopt(self, checkpoint: Checkpoint) -> list[Event]:
        """Load a model and deploy it; raises ModelError, and goes on as before, if it is unfit."""
        model, window = load_config(checkpoint.config)
        if window != self._window:
            raise ModelError(f'it is for {window}: this area has {self._window}')
        trainer = self.trainer
        if model != trainer.model:
            trainer = LocalTrainer(
                model, window, self._area, self._learning, memory=trainer.memory)
        trainer.load(checkpoint.tensors)
        self.trainer, self.current = trainer, checkpoint
        self._checksum = pack(checkpoint.tensors).checksum
        self._steps_left = self._settings.local_steps if self._settings.learn else 0
        self._reported = False
        self._losses = []
        return [Deployment(
            self._area.area, checkpoint.federation, checkpoint.round, checkpoint.config,
            trainer.onnx())]

    def _keep(self, checkpoint: Checkpoint) -> list[Event]:
        try:
            write_checkpoint(self._folder / CHECKPOINT, checkpoint, self._checksum)
        except OSError as err:
            return self._problem(f'round {checkpoint.round} is not kept: {err}')
        return []

    def _train(self) -> list[Event]:
        if not self._reported:
            self._reported = True
            return [self._report()]
        self._losses.append(self.trainer.train(1))
        self._steps_left -= 1
        return [] if self._steps_left else self._finish()

    def _report(self) -> Report:
        trainer, current = self.trainer, self._current()
        return Report(
            self._area.area, current.round, len(trainer.kept), len(trainer.held_out),
            trainer.steps, self._loss, trainer.evaluate())

    def _finish(self) -> list[Event]:
        current, tensors = self._current(), self.trainer.update()
        counted = [loss for loss in self._losses if np.isfinite(loss)]
        self._loss = float(np.mean(counted)) if counted else nan
        if not tensors:
            return self._try_again(current)
        if not self._settings.federated:
            return self._next_alone(current)
        return [answer(
            current, self._area.area, len(self.trainer.kept), self.trainer.modalities, tensors)]

    def _try_again(self, current: Checkpoint) -> list[Event]:
        """Train the same model when a batch of new windows is there: others may wait for it."""
        self._needed = self.trainer.kept.added + self._learning.batch
        self._steps_left = self._settings.local_steps
        self._losses = []
        return self._problem(f'round {current.round}: nothing could be trained')

    def _begin_alone(self) -> list[Event]:
        model = self.trainer.model
        weights = initial_weights(model, self._window, self._learning.seed)
        return self._adopt(Checkpoint(ALONE, 0, dump_config(model, self._window), weights))

    def _next_alone(self, current: Checkpoint) -> list[Event]:
        """A round of its own; the next one waits for a batch of new windows."""
        self._needed = self.trainer.kept.added + self._learning.batch
        following = replace(
            current, round=current.round + 1, tensors=read_weights(self.trainer.twin))
        return [*self._adopt(following), *self._keep(following)]

    def _current(self) -> Checkpoint:
        if self.current is None:
            raise ModelError('there is no model yet')
        return self.current

    def _problem(self, text: str) -> list[Event]:
        self.problems += 1
        self.problem = text
        return [Problem(text)]
