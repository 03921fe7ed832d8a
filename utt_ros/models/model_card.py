"""Model cards: what a saved model says of itself, and what is checked when it is loaded.

A model is one safetensors file. Its card is JSON in the file's metadata, and a copy of it lies
beside the file for people to read.
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
from utt_ros.models.modalities import Modality
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.twin import UnifiedTwin, load_weights, read_weights
from utt_ros.settings import WindowSettings

PACKAGE = Path(__file__).parents[1]
Scaling = dict[str, dict[str, list[float]]]  # modality -> offset, scale -> per channel


@dataclass(frozen=True, slots=True)
class Card:
    """Where a model is from and what it expects."""

    modalities: list[str]
    scaling: Scaling
    config: str  # of the model and its windows, JSON
    data_fingerprint: str  # of the files that it was trained on
    training: dict[str, Any]  # plan, seed, rounds, windows, ...
    metrics: dict[str, float]  # on validation
    code_version: str
    checksum: str  # of the weights

    @property
    def shape(self) -> tuple[ModelSettings, WindowSettings]:
        """Settings of the model and its windows; raises ModelError."""
        return load_config(self.config)


def code_version() -> str:
    """The version of this package."""
    return version('utt_ros')


@cache
def code_digest() -> str:
    """A digest of this package's sources: results of other code are other results."""
    found = sha256()
    for path in sorted(PACKAGE.rglob('*.py')):
        found.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


def scaling(modalities: Mapping[str, Modality]) -> Scaling:
    """Return offsets and scales of modalities by name."""
    return {name: {'offset': list(item.offset), 'scale': list(item.scale)}
            for name, item in modalities.items()}


def save_model(
    path: Path, twin: UnifiedTwin, data_fingerprint: str, training: dict[str, Any],
    metrics: dict[str, float],
) -> Card:
    """Write a model and its card. Raises OSError."""
    weights = read_weights(twin)
    card = Card(
        list(twin.settings.modalities), scaling(twin.modalities),
        dump_config(twin.settings, twin.window), data_fingerprint, training, metrics,
        code_version(), pack(weights).checksum)
    text = json.dumps(asdict(card), indent=2, sort_keys=True)
    write_atomically(path, serialize(weights, {'card': text}))
    write_atomically(path.with_suffix('.json'), text.encode())
    return card


def load_model(
    path: Path, modalities: Iterable[Modality] = (),
) -> tuple[UnifiedTwin, Card]:
    """Read a model and check its card; `modalities` as in `UnifiedTwin`.

    Raises ModelError when the file is damaged, was scaled in another way than this program does,
    or is of another release series (the first number of the version, and the second while the
    first is 0).
    """
    try:
        with safe_open(path, framework='numpy') as file:
            text = (file.metadata() or {}).get('card', '')
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        card = _parse(text)
        model, window = card.shape
        twin = UnifiedTwin(model, window, modalities)
        _check(card, twin)
        if pack(weights).checksum != card.checksum:
            raise ModelError('its weights are not those of its card')
        load_weights(twin, weights)
    except (OSError, SafetensorError, SettingsError) as err:
        raise ModelError(f'{path}: {err}') from err
    except ModelError as err:
        raise ModelError(f'{path}: {err}') from err
    return twin, card


def _parse(text: str) -> Card:
    if not text:
        raise ModelError('it has no card')
    try:
        content = json.loads(text)
    except ValueError as err:
        raise ModelError(f'its card is not JSON: {err}') from err
    names = {item.name for item in fields(Card)}
    if not isinstance(content, dict) or set(content) != names:
        raise ModelError(f'its card must have exactly the parts {", ".join(sorted(names))}')
    return Card(**content)


def _check(card: Card, twin: UnifiedTwin) -> None:
    model = twin.settings
    if card.modalities != list(model.modalities):
        raise ModelError(f'its card names {card.modalities}, '
                         f'its configuration {list(model.modalities)}')
    ours = scaling(twin.modalities)
    differing = [name for name in model.modalities if card.scaling.get(name) != ours[name]]
    if differing:
        raise ModelError(f'{differing[0]} was scaled by {card.scaling.get(differing[0])}: '
                         f'this program scales by {ours[differing[0]]}')
    if _series(card.code_version) != _series(code_version()):
        raise ModelError(f'it was made by version {card.code_version}: this is {code_version()}')


def _series(text: str) -> tuple[str, ...]:
    numbers = str(text).split('.')
    return tuple(numbers[:2] if numbers[0] == '0' else numbers[:1])
