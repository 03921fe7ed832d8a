"""What a model looks like: the part of the settings that travels with its weights."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from utt_ros.errors import ModelError, SettingsError
from utt_ros.settings import WindowSettings, check, from_mapping, setting
from utt_ros.types import MODALITIES

NETWORKS = 2  # number of what settings are built into; another one has other tensors


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Shape of the unified model; one for the whole federation, since models are exchanged."""

    modalities: tuple[str, ...] = setting(
        MODALITIES, 'sensors that the federation has; an area may hold some of them')
    fusor: str = setting('gating', 'how features of several modalities become one')
    width: int = setting(64, 'length of a feature vector', low=4, high=1024)
    heads: int = setting(4, 'attention heads', low=1, high=64)
    feedforward: int = setting(128, 'hidden units after attention', low=4, high=4096)
    encoder_layers: int = setting(1, 'transformer layers of an encoder', low=1, high=16)
    decoder_layers: int = setting(1, 'transformer layers of a decoder', low=1, high=16)
    knots: int = setting(6, 'instants at which the future is predicted', low=1, high=64)

    def __post_init__(self) -> None:
        check(self)
        if self.width % self.heads:
            raise SettingsError(
                f'width is {self.width}: it must be a multiple of heads, {self.heads}')
        if list(self.modalities) != sorted(set(self.modalities)) or not self.modalities:
            raise SettingsError(f'modalities are {list(self.modalities)}: '
                                'they must be sorted, distinct and at least one')


def dump_config(model: ModelSettings, window: WindowSettings) -> str:
    """Canonical JSON: equal settings give equal text."""
    content = {'model': asdict(model), 'networks': NETWORKS, 'window': asdict(window)}
    return json.dumps(content, sort_keys=True, separators=(',', ':'))


def load_config(text: str) -> tuple[ModelSettings, WindowSettings]:
    """Read what `dump_config` wrote, possibly elsewhere; raises ModelError for anything else."""
    try:
        content: Any = json.loads(text)
    except ValueError as err:
        raise ModelError(f'model configuration is not JSON: {err}') from err
    if not isinstance(content, dict) or set(content) != {'model', 'networks', 'window'}:
        raise ModelError(
            'model configuration must have exactly the parts "model", "networks" and "window"')
    if content['networks'] != NETWORKS:
        raise ModelError(f'model configuration is for networks {content["networks"]!r:.64}: '
                         f'this program has {NETWORKS}')
    if not all(isinstance(content[part], dict) for part in ('model', 'window')):
        raise ModelError('the parts of a model configuration must be objects')
    try:
        return (from_mapping(ModelSettings, content['model']),
                from_mapping(WindowSettings, content['window']))
    except SettingsError as err:
        raise ModelError(f'model configuration: {err}') from err
