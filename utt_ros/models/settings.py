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

"""Model settings: the architecture, which is stored and sent with the weights."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from utt_ros.documents import load_json
from utt_ros.errors import DocumentError, ModelError, SettingsError
from utt_ros.settings import WindowSettings, check, from_mapping, setting
from utt_ros.types import MODALITIES

MAX_CONFIG_LENGTH = 8192  # characters
MAX_CONFIG_PARTS = 32  # lists and objects
ACCESS_POINTS_READ = ('first', 'all')
ARCHITECTURE_VERSION = 2  # of the networks; another one has other tensors


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Architecture of the unified model; one per federation, since models are exchanged."""

    modalities: tuple[str, ...] = setting(
        MODALITIES, 'sensors that the federation has; an area may hold some of them')
    fusor: str = setting('gating', 'function that joins the features of several modalities')
    width: int = setting(64, 'length of a feature vector', low=4, high=1024)
    heads: int = setting(4, 'attention heads', low=1, high=64)
    feedforward: int = setting(128, 'hidden units after attention', low=4, high=4096)
    encoder_layers: int = setting(1, 'transformer layers of an encoder', low=1, high=16)
    decoder_layers: int = setting(1, 'transformer layers of a decoder', low=1, high=16)
    knots: int = setting(
        6, 'instants between which a predicted trajectory is interpolated', low=1, high=64)
    access_points_read: str = setting(
        'first', f'access points whose ranges are read: {" or ".join(ACCESS_POINTS_READ)}')

    def __post_init__(self) -> None:
        check(self)
        if self.access_points_read not in ACCESS_POINTS_READ:
            raise SettingsError(f'access_points_read is {self.access_points_read!r}: it must be '
                                f'one of {", ".join(ACCESS_POINTS_READ)}')
        if self.width % self.heads:
            raise SettingsError(
                f'width is {self.width}: it must be a multiple of heads, {self.heads}')
        if list(self.modalities) != sorted(set(self.modalities)) or not self.modalities:
            raise SettingsError(f'modalities are {list(self.modalities)}: '
                                'they must be sorted, distinct and at least one')

    @property
    def reads_all_access_points(self) -> bool:
        """True for a model that reads the ranges to all access points of an area."""
        return self.access_points_read == 'all'


def dump_config(model: ModelSettings, window: WindowSettings) -> str:
    """Return canonical JSON: equal settings give equal text."""
    of_model = asdict(model)
    if model.access_points_read == ACCESS_POINTS_READ[0]:  # as in former configurations
        del of_model['access_points_read']
    content = {'model': of_model, 'networks': ARCHITECTURE_VERSION, 'window': asdict(window)}
    return json.dumps(content, sort_keys=True, separators=(',', ':'))


def load_config(text: str) -> tuple[ModelSettings, WindowSettings]:
    """Parse the text of `dump_config`; raises ModelError for any other.

    Length and nesting are limited before the text is parsed.
    """
    if len(text) > MAX_CONFIG_LENGTH:
        raise ModelError(f'model configuration has {len(text)} characters: '
                         f'at most {MAX_CONFIG_LENGTH} are allowed')
    brackets = text.count('[') + text.count('{')
    if brackets > MAX_CONFIG_PARTS:
        raise ModelError(f'model configuration has {brackets} lists and objects: '
                         f'at most {MAX_CONFIG_PARTS} are allowed')
    try:
        content: Any = load_json(text)
    except DocumentError as err:
        raise ModelError(f'model configuration is {err}') from err
    if not isinstance(content, dict) or set(content) != {'model', 'networks', 'window'}:
        raise ModelError(
            'model configuration must have exactly the parts "model", "networks" and "window"')
    if content['networks'] != ARCHITECTURE_VERSION:
        raise ModelError(f'model configuration is for networks {content["networks"]!r:.64}: '
                         f'this program has {ARCHITECTURE_VERSION}')
    if not all(isinstance(content[part], dict) for part in ('model', 'window')):
        raise ModelError('the parts of a model configuration must be objects')
    try:
        return (from_mapping(ModelSettings, content['model']),
                from_mapping(WindowSettings, content['window']))
    except SettingsError as err:
        raise ModelError(f'model configuration: {err}') from err
