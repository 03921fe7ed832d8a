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


"""Model that a run starts from or resumes, compared with its parameters, without torch."""

from pathlib import Path

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.wire import Tensors
from utt_ros.models.saved_model import read_saved_model
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.settings import WindowSettings


def read_initial_model(
    path: Path, model: ModelSettings, window: WindowSettings,
) -> tuple[Tensors, str]:
    """Read the weights and configuration of a model from which a run shall start.

    The architecture is that of the file. Raises ModelError as `read_saved_model`, and when windows
    or modalities differ from those of the run.
    """
    weights, card = read_saved_model(path)
    own, own_window = card.settings
    if own_window != window:
        raise ModelError(f'{path}: it is for {own_window}: this run has {window}')
    if own.modalities != model.modalities:
        raise ModelError(f'{path}: it is for the modalities {list(own.modalities)}: '
                         f'this run has {list(model.modalities)}')
    return weights, dump_config(own, own_window)


def check_resumed_config(
    config: str, folder: Path, model: ModelSettings, window: WindowSettings, *, any_size: bool,
) -> None:
    """Raise SettingsError when the federation in a folder is not that of the parameters.

    `any_size`: it began with a model file, which has its own fusor and sizes.
    """
    try:
        own, own_window = load_config(config)
    except ModelError as err:
        raise SettingsError(
            f'{folder} holds a federation that this program cannot resume: {err}') from err
    same = own.modalities == model.modalities if any_size else own == model
    if not same or own_window != window:
        raise SettingsError(f'{folder} holds a federation with the configuration {config}: '
                            f'the parameters are {dump_config(model, window)}')
