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

"""Federated network digital twins on ROS 2.

The names of `__all__` are the stable interface for scripts and notebooks; docs/api.md describes
them. Each is imported when it is first used, so that a twin node never loads torch.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utt_ros.federation.aggregation import Contribution, average
    from utt_ros.federation.aggregation_rules import register_aggregation_rule
    from utt_ros.models.fusors import register_fusor
    from utt_ros.models.model_card import load_model, save_model
    from utt_ros.models.onnx_export import export_onnx
    from utt_ros.sessions.session_bags import (
        find_sessions,
        read_area,
        read_session,
        write_area,
        write_session,
    )
    from utt_ros.settings import AreaSettings, WindowSettings
    from utt_ros.sync.offline_sync import synchronize
    from utt_ros.sync.window_buffer import cut_windows
    from utt_ros.training.offline_trainer import train_model
    from utt_ros.training.recordings import load_recordings
    from utt_ros.training.training_recipe import Recipe
    from utt_ros.twin.engine import TwinEngine
    from utt_ros.twin.onnx_model import OnnxModel

# In a checkout the generated `utt_ros.msg` lies in the environment, beside this package.
__path__ = extend_path(__path__, __name__)

_MODULES = {
    'AreaSettings': 'settings',
    'Contribution': 'federation.aggregation',
    'OnnxModel': 'twin.onnx_model',
    'Recipe': 'training.training_recipe',
    'TwinEngine': 'twin.engine',
    'WindowSettings': 'settings',
    'average': 'federation.aggregation',
    'cut_windows': 'sync.window_buffer',
    'export_onnx': 'models.onnx_export',
    'find_sessions': 'sessions.session_bags',
    'load_model': 'models.model_card',
    'load_recordings': 'training.recordings',
    'read_area': 'sessions.session_bags',
    'read_session': 'sessions.session_bags',
    'register_aggregation_rule': 'federation.aggregation_rules',
    'register_fusor': 'models.fusors',
    'save_model': 'models.model_card',
    'synchronize': 'sync.offline_sync',
    'train_model': 'training.offline_trainer',
    'write_area': 'sessions.session_bags',
    'write_session': 'sessions.session_bags',
}

__all__ = [
    'AreaSettings',
    'Contribution',
    'OnnxModel',
    'Recipe',
    'TwinEngine',
    'WindowSettings',
    'average',
    'cut_windows',
    'export_onnx',
    'find_sessions',
    'load_model',
    'load_recordings',
    'read_area',
    'read_session',
    'register_aggregation_rule',
    'register_fusor',
    'save_model',
    'synchronize',
    'train_model',
    'write_area',
    'write_session',
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
