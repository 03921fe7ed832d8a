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

"""Files of saved models: weights and the card, read without torch.

A model is one safetensors file. Its card is JSON in the file's metadata, and a readable copy lies
beside the file.
"""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from utt_ros.documents import load_json
from utt_ros.errors import DocumentError, ModelError
from utt_ros.federation.wire import Tensors, pack, read_tensors, serialize
from utt_ros.files import write_atomically
from utt_ros.models.settings import ModelSettings, load_config
from utt_ros.settings import WindowSettings

Scaling = dict[str, dict[str, list[float]]]  # modality -> offset, scale -> per channel


@dataclass(frozen=True, slots=True)
class DataStatistics:
    """Means of training data in units of measurement, for evaluation without a train split."""

    means: dict[str, list[float]]  # modality -> per channel
    position: list[float]  # x, y [m]; empty without ground truth
    magnetic_field: list[float]  # horizontal, up [T]; empty without IMU


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Origin of a model, its settings and its scaling."""

    modalities: list[str]
    scaling: Scaling
    config: str  # ModelSettings and WindowSettings, JSON
    data_fingerprint: str  # of the training files
    training: dict[str, Any]  # plan, seed, rounds, windows, ...
    metrics: dict[str, float]  # on validation
    code_version: str
    checksum: str  # of the weights
    statistics: DataStatistics | None = None  # of the train split

    @property
    def settings(self) -> tuple[ModelSettings, WindowSettings]:
        """Settings of the model and of its windows; raises ModelError."""
        return load_config(self.config)


def code_version() -> str:
    """Return the version of this package."""
    return version('utt_ros')


def write_saved_model(path: Path, weights: Tensors, card: ModelCard) -> None:
    """Write weights with their card, and the card beside them; raises OSError."""
    content = asdict(card)
    if card.statistics is None:
        del content['statistics']
    text = json.dumps(content, indent=2, sort_keys=True)
    write_atomically(path, serialize(weights, {'card': text}))
    write_atomically(path.with_suffix('.json'), text.encode())


def read_saved_model(path: Path) -> tuple[Tensors, ModelCard]:
    """Read weights and their card.

    Raises ModelError, which names the file, when it is damaged or of another release series (the
    first number of the version, and the second while the first is 0).
    """
    if not path.is_file():
        raise ModelError(f'{path}: there is no such model file')
    try:
        weights, metadata = read_tensors(path)
        card = _parse(metadata.get('card', ''))
        if _series(card.code_version) != _series(code_version()):
            raise ModelError(
                f'it was made by version {card.code_version}: this is {code_version()}')
        modalities = list(card.settings[0].modalities)
        if card.modalities != modalities:
            raise ModelError(f'its card has the modalities {card.modalities}, '
                             f'its configuration {modalities}')
        if pack(weights).checksum != card.checksum:
            raise ModelError('its weights do not match the checksum of its card')
    except (OSError, ModelError) as err:
        raise ModelError(f'{path}: {err}') from err
    return weights, card


def _parse(text: str) -> ModelCard:
    if not text:
        raise ModelError('it has no card')
    try:
        content = load_json(text)
    except DocumentError as err:
        raise ModelError(f'its card cannot be read: {err}') from err
    required = {item.name for item in fields(ModelCard) if item.default is MISSING}
    known = {item.name for item in fields(ModelCard)}
    if not isinstance(content, dict) or not required <= set(content) <= known:
        raise ModelError(f'its card must have exactly the fields {", ".join(sorted(required))}, '
                         f'and may have {", ".join(sorted(known - required))}')
    return ModelCard(**content | {'statistics': _statistics(content.get('statistics'))})


def _statistics(content: Any) -> DataStatistics | None:
    if content is None:
        return None
    try:
        return DataStatistics(**content)
    except TypeError as err:
        raise ModelError(f'the statistics of its card cannot be read: {err}') from err


def _series(text: str) -> tuple[str, ...]:
    numbers = str(text).split('.')
    return tuple(numbers[:2] if numbers[0] == '0' else numbers[:1])
