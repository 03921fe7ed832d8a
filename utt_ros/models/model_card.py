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

"""Saved models and their cards: origin and expectations, checked on loading.

A model is one safetensors file. Its card is JSON in the file's metadata, and a readable copy lies
beside the file.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.wire import pack, serialize
from utt_ros.files import write_atomically
from utt_ros.models.modalities import Modality, select_modalities
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.twin import UnifiedTwin, load_weights, read_weights
from utt_ros.settings import WindowSettings

PACKAGE = Path(__file__).parents[1]
Scaling = dict[str, dict[str, list[float]]]  # modality -> offset, scale -> per channel


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

    @property
    def settings(self) -> tuple[ModelSettings, WindowSettings]:
        """Settings of the model and of its windows; raises ModelError."""
        return load_config(self.config)


def code_version() -> str:
    """Return the version of this package."""
    return version('utt_ros')


@cache
def code_digest() -> str:
    """Return a digest of this package's sources, which keys cached results."""
    digest = sha256()
    for path in sorted(PACKAGE.rglob('*.py')):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def scaling(modalities: Mapping[str, Modality]) -> Scaling:
    """Return offsets and scales of modalities by name."""
    return {name: {'offset': list(item.offset), 'scale': list(item.scale)}
            for name, item in modalities.items()}


def save_model(
    path: Path, twin: UnifiedTwin, data_fingerprint: str, training: dict[str, Any],
    metrics: dict[str, float],
) -> ModelCard:
    """Write a model and its card; raises OSError."""
    weights = read_weights(twin)
    card = ModelCard(
        list(twin.settings.modalities), scaling(twin.modalities),
        dump_config(twin.settings, twin.window), data_fingerprint, training, metrics,
        code_version(), pack(weights).checksum)
    text = json.dumps(asdict(card), indent=2, sort_keys=True)
    write_atomically(path, serialize(weights, {'card': text}))
    write_atomically(path.with_suffix('.json'), text.encode())
    return card


def load_model(
    path: Path, modalities: Iterable[Modality] = (),
) -> tuple[UnifiedTwin, ModelCard]:
    """Read a model and check its card; `modalities` as in `UnifiedTwin`.

    Raises ModelError when the file is damaged, its modalities are scaled otherwise, or it is of
    another release series (the first number of the version, and the second while the first is
    0).
    """
    try:
        with safe_open(path, framework='numpy') as file:
            text = (file.metadata() or {}).get('card', '')
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        card = _parse(text)
        model, window = card.settings
        selected = select_modalities(model.modalities, modalities)
        _check(card, selected)
        if pack(weights).checksum != card.checksum:
            raise ModelError('its weights do not match the checksum of its card')
        twin = UnifiedTwin(model, window, selected.values())
        load_weights(twin, weights)
    except (OSError, SafetensorError, SettingsError) as err:
        raise ModelError(f'{path}: {err}') from err
    except ModelError as err:
        raise ModelError(f'{path}: {err}') from err
    return twin, card


def _parse(text: str) -> ModelCard:
    if not text:
        raise ModelError('it has no card')
    try:
        content = json.loads(text)
    except ValueError as err:
        raise ModelError(f'its card is not JSON: {err}') from err
    names = {item.name for item in fields(ModelCard)}
    if not isinstance(content, dict) or set(content) != names:
        raise ModelError(f'its card must have exactly the fields {", ".join(sorted(names))}')
    return ModelCard(**content)


def _check(card: ModelCard, modalities: Mapping[str, Modality]) -> None:
    if card.modalities != list(modalities):
        raise ModelError(f'its card has the modalities {card.modalities}, '
                         f'its configuration {list(modalities)}')
    expected = scaling(modalities)
    differing = [name for name in modalities if card.scaling.get(name) != expected[name]]
    if differing:
        raise ModelError(f'{differing[0]} was scaled by {card.scaling.get(differing[0])}: '
                         f'this program scales by {expected[differing[0]]}')
    if _series(card.code_version) != _series(code_version()):
        raise ModelError(f'it was made by version {card.code_version}: this is {code_version()}')


def _series(text: str) -> tuple[str, ...]:
    numbers = str(text).split('.')
    return tuple(numbers[:2] if numbers[0] == '0' else numbers[:1])
