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

"""Names of the parameters of all nodes: an unknown one is refused with the nearest known one."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from utt_ros.drivers.pseudonyms import PrivacySettings
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.errors import SettingsError
from utt_ros.federation.settings import AggregatorSettings, SigningSettings
from utt_ros.models.settings import ModelSettings
from utt_ros.parameter_files import flatten_parameters, read_parameter_blocks
from utt_ros.settings import AreaSettings, WindowSettings, nearest_name
from utt_ros.sync.settings import SyncSettings
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.twin.settings import ParticleFilterSettings, TwinSettings
from utt_ros.types import MODALITIES

AREA_NODES = ('sync', 'twin', 'trainer', *MODALITIES)
NODE_SETTINGS: dict[str, tuple[tuple[type, str], ...]] = {  # and prefixes of their names
    'sync': ((AreaSettings, ''), (WindowSettings, ''), (SyncSettings, ''), (SigningSettings, '')),
    'twin': ((AreaSettings, ''), (WindowSettings, ''), (TwinSettings, ''), (SigningSettings, ''),
             (ParticleFilterSettings, 'belief.')),
    'trainer': ((AreaSettings, ''), (WindowSettings, ''), (TrainerSettings, ''),
                (LearningSettings, ''), (SigningSettings, ''), (ModelSettings, 'model.')),
    **dict.fromkeys(MODALITIES, ((AreaSettings, ''), (ReaderSettings, ''))),
    **dict.fromkeys(('ftm', 'imu'), (
        (AreaSettings, ''), (ReaderSettings, ''), (PrivacySettings, ''))),
    'aggregator': ((AggregatorSettings, ''), (WindowSettings, ''), (SigningSettings, ''),
                   (ModelSettings, 'model.')),
}
OWN_NAMES = {  # declared by nodes and by settings that need ROS
    'camera': ('source', 'calibration', *(f'topics.{name}' for name in (
        'image', 'compressed', 'depth', 'compressed_depth', 'camera_info', 'slop'))),
    'ftm': ('source', 'calibration', 'unknown_std'),
    'imu': ('source',),
}
CAMERA_SETTINGS = (  # module, class, prefix; their modules load OpenCV
    ('detection', 'DetectionSettings', 'detection.'),
    ('detection_stream', 'DetectionTopicSettings', 'detections.'),
    ('tracking', 'TrackingSettings', 'tracking.'))
COMMON_NAMES = ('autostart', 'drivers', 'use_sim_time', 'start_type_description_service')
QOS_PREFIX = 'qos_overrides.'  # of parameters that rcl declares


def check_parameter_names(path: Path, nodes: Collection[str] = AREA_NODES) -> None:
    """Raise SettingsError for a parameter in a block of `nodes` that none of these nodes has.

    Blocks of other nodes, such as RViz, are left alone, unless their name is nearly one of ours.
    """
    check_block_names(path, read_parameter_blocks(path), nodes)


def check_block_names(
    path: Path, blocks: Mapping[str, Mapping[str, Any]], nodes: Collection[str] = AREA_NODES,
) -> None:
    """Check the blocks of a file that was read, as `check_parameter_names` does."""
    for block, values in blocks.items():
        node = block.rpartition('/')[2]
        names = flatten_parameters(values)
        if '*' in node:
            unknown = unknown_parameters(names, nodes)
            known = known_parameters(nodes)
        elif node in NODE_SETTINGS:
            unknown = unknown_parameters(names, (node,))
            known = known_parameters((node,))
        else:
            near = nearest_name(node, NODE_SETTINGS)
            if near:
                raise SettingsError(f'{path}: {block!r} is no node: did you mean {near!r}?')
            continue
        if unknown:
            raise SettingsError(f'{path}: {block!r} has {explain_unknown(unknown[0], known)}')


def unknown_parameters(names: Iterable[str], nodes: Collection[str] = AREA_NODES) -> list[str]:
    """Return those of the full names of parameters that none of `nodes` has, sorted.

    Settings of a source that no driver of this machine offers belong to another package.
    """
    rest = [name for name in names if not name.startswith(QOS_PREFIX)]
    rest = sorted(name for name in rest if name not in _settings_names(frozenset(nodes)))
    if not rest:
        return []  # without an import of drivers
    known = known_parameters(nodes)
    mappings = _mapping_names(frozenset(nodes))
    rest = [name for name in rest if name.partition('.')[0] not in mappings]
    groups = {name.partition('.')[0] for name in known if '.' in name} | mappings
    return [name for name in rest if name not in known
            and not (_is_foreign_source(name, groups) and set(nodes) & set(OWN_NAMES))]


def known_parameters(nodes: Collection[str]) -> frozenset[str]:
    """Return the full names of all parameters of nodes, those of their sources included."""
    return _settings_names(frozenset(nodes)).union(
        *(_source_names(node) for node in nodes if node in OWN_NAMES))


def explain_unknown(name: str, known: Iterable[str]) -> str:
    """Return that a parameter is unknown, and the nearest known one."""
    near = nearest_name(name, known)
    return f'an unknown parameter {name!r}' + (f': did you mean {near!r}?' if near else '')


def _is_foreign_source(name: str, groups: Collection[str]) -> bool:
    group, dot, _ = name.partition('.')
    return bool(dot) and group not in groups and not nearest_name(group, groups)


@cache
def _settings_names(nodes: frozenset[str]) -> frozenset[str]:
    parts = {part for node in nodes for part in NODE_SETTINGS[node]}
    own = {name for node in nodes for name in OWN_NAMES.get(node, ())}
    return frozenset(COMMON_NAMES) | own | {
        name for cls, prefix in parts for name in _field_names(cls, prefix)}


@cache
def _mapping_names(nodes: frozenset[str]) -> frozenset[str]:
    """Return the names of settings that are mappings, whose keys are the installer's."""
    return frozenset(item.name for node in nodes for cls, _ in NODE_SETTINGS[node]
                     for item in fields(cls) if item.metadata.get('read'))


@cache
def _source_names(kind: str) -> frozenset[str]:
    room: ModuleType = import_module(f'utt_ros.drivers.{kind}')
    parts = [(room.SOURCES[source].settings, f'{source}.') for source in room.SOURCES.names()]
    if kind == 'camera':
        parts += [(getattr(import_module(f'utt_ros.drivers.camera.{module}'), name), prefix)
                  for module, name, prefix in CAMERA_SETTINGS]
    return frozenset(name for cls, prefix in parts for name in _field_names(cls, prefix))


def _field_names(cls: type, prefix: str) -> Iterable[str]:
    """Yield the full names of the settings of a class, former ones included."""
    for item in fields(cls):
        yield prefix + item.name
        if item.metadata.get('former'):
            yield prefix + item.metadata['former']
