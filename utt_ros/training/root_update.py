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

"""Trainer of trusted recordings: `python -m utt_ros.training.root_update SESSIONS CONFIG FOLDER`.

It reads the number of a round per line, trains the model of that round, and writes its update; see
`federation.root_of_trust`. The end of its input ends it.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from utt_ros.errors import SessionError, UttError
from utt_ros.federation.root_of_trust import model_path, update_path
from utt_ros.federation.wire import Tensors, parse, serialize
from utt_ros.files import write_atomically
from utt_ros.models.settings import load_config
from utt_ros.training.model_selection import model_examples
from utt_ros.training.offline_dataset import TRAIN_STRIDE
from utt_ros.training.offline_trainer import offline_trainer
from utt_ros.training.recordings import load_recordings
from utt_ros.training.trainer import LocalTrainer, use_one_thread
from utt_ros.training.training_recipe import Recipe

ROOT_STEPS = 20  # of the training of one round
NICENESS = 10


def make_root_trainer(sessions: Path, config: str) -> LocalTrainer:
    """Load the train split of all areas. Raises SessionError when there is none to learn from."""
    model, window = load_config(config)
    recipe = Recipe(model=model)
    with TemporaryDirectory(prefix='utt_root_') as cache:
        data = load_recordings(sessions, Path(cache), window)
    columns = model_examples(data, model, 'train', None, TRAIN_STRIDE)
    if not len(next(iter(columns.values()))):
        raise SessionError(f'{sessions}: no recording of the train split is long enough')
    return offline_trainer(recipe, data, columns, 0)


class LearnedRoot:
    """Root of trust that trains in this process, while a round waits."""

    problem = ''

    def __init__(self, trainer: LocalTrainer, steps: int = ROOT_STEPS) -> None:
        self._trainer, self._steps = trainer, steps
        self._result: Tensors = {}

    def begin(self, tensors: Tensors) -> None:
        """Train the model of a round."""
        self._trainer.load(tensors)
        self._trainer.train(self._steps)
        self._result = self._trainer.update()

    def is_ready(self) -> bool:
        return True

    def update(self, tensors: Tensors) -> Tensors:  # noqa: ARG002 - they were given to `begin`
        """Return the tensors that `begin` trained."""
        return self._result


def train_rounds(root: LearnedRoot, folder: Path, numbers: Iterable[str]) -> None:
    """Train the model of each round whose number comes."""
    for line in numbers:
        number = int(line)
        path = model_path(folder, number)
        tensors = parse(path.read_bytes())
        path.unlink()
        root.begin(tensors)
        write_atomically(update_path(folder, number), serialize(root.update(tensors)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train rounds until the input ends; return 2 on error."""
    sessions, config, folder = sys.argv[1:] if arguments is None else arguments
    use_one_thread()
    os.nice(NICENESS)
    try:
        root = LearnedRoot(make_root_trainer(Path(sessions), config))
        train_rounds(root, Path(folder), sys.stdin)
    except (UttError, OSError) as err:
        sys.stderr.write(f'{sessions}: {err}\n')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
