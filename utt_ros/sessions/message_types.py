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

"""Message definitions of bags: those of ROS 2 Jazzy, of this package, and of detections."""

from functools import cache
from pathlib import Path
from typing import Any

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from utt_ros.errors import SessionError
from utt_ros.sessions.detection_types import register_detections

MESSAGE_PACKAGE = 'utt_ros'
EMPTY_LIST = bytes(4)
# Lists that messages of older definitions lack at their end
ADDED_LISTS = {'utt_ros/msg/TrainingMetrics': ('modalities', 'gate_weights')}


@cache
def typestore() -> Typestore:
    """Return all message types of a bag. Raises SessionError when no .msg files are found."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for path in sorted(message_folder().glob('*.msg')):
        text = path.read_text(encoding='utf-8')
        types.update(get_types_from_msg(text, f'{MESSAGE_PACKAGE}/msg/{path.stem}'))
    store.register(types)
    register_detections(store)
    return store


def read_message(data: bytes, kind: str) -> Any:
    """Deserialize a message, also one of an older definition, whose new fields are empty.

    Raises what the parser raises on bytes of something else, also of a message that was cut.
    """
    try:
        return typestore().deserialize_cdr(data, kind)
    except SerdeError:
        added = ADDED_LISTS.get(kind, ())
        if not added:
            raise
        older = typestore().deserialize_cdr(bytes(data) + len(added) * EMPTY_LIST, kind)
        if any(len(getattr(older, name)) for name in added):
            raise  # begun, so that the definition is the newer one
        return older


def message_folder() -> Path:
    """Folder of the .msg files: beside the package in a checkout, in `share` when installed."""
    here = Path(__file__)
    parents = [*here.parents, *here.resolve().parents]
    names = ('msg', f'share/{MESSAGE_PACKAGE}/msg')
    for folder in (parent / name for parent in parents for name in names):
        if (folder / 'Tracks.msg').is_file():
            return folder
    raise SessionError(f'no Tracks.msg in msg/ or share/{MESSAGE_PACKAGE}/msg above {here.parent}')
