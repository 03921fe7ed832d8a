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

"""Models and their cards: origin and expectations, checked on loading; see `saved_model`."""

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.wire import pack
from utt_ros.models.modalities import Modality, select_modalities
from utt_ros.models.saved_model import (
    DataStatistics,
    ModelCard,
    Scaling,
    code_version,
    read_saved_model,
    write_saved_model,
)
from utt_ros.models.settings import dump_config
from utt_ros.models.twin import UnifiedTwin, build_twin, read_weights

PACKAGE = Path(__file__).parents[1]


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
    metrics: dict[str, float], *, statistics: DataStatistics | None = None,
) -> ModelCard:
    """Write a model and its card; raises OSError."""
    weights = read_weights(twin)
    card = ModelCard(
        list(twin.settings.modalities), scaling(twin.modalities),
        dump_config(twin.settings, twin.window), data_fingerprint, training, metrics,
        code_version(), pack(weights).checksum, statistics)
    write_saved_model(path, weights, card)
    return card


def load_model(
    path: Path, modalities: Iterable[Modality] = (),
) -> tuple[UnifiedTwin, ModelCard]:
    """Read a model and check its card; `modalities` as in `UnifiedTwin`.

    Raises ModelError as `read_saved_model`, and when its modalities are scaled otherwise or its
    weights do not fit its configuration.
    """
    weights, card = read_saved_model(path)
    try:
        model, window = card.settings
        selected = select_modalities(model.modalities, modalities)
        _check_scaling(card, selected)
        twin = build_twin(model, window, weights, selected.values())
    except (ModelError, SettingsError) as err:
        raise ModelError(f'{path}: {err}') from err
    return twin, card


def _check_scaling(card: ModelCard, modalities: Mapping[str, Modality]) -> None:
    expected = scaling(modalities)
    differing = [name for name in modalities if card.scaling.get(name) != expected[name]]
    if differing:
        raise ModelError(f'{differing[0]} was scaled by {card.scaling.get(differing[0])}: '
                         f'this program scales by {expected[differing[0]]}')
