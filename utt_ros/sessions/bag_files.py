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

"""The files of a rosbag2 bag: its storage files, and metadata.yaml where that can be read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from rosbags.interfaces import Qos
from rosbags.rosbag2.metadata import parse_qos

from utt_ros.documents import MAX_DOCUMENT_BYTES, load_yaml_document
from utt_ros.errors import DocumentError, SessionError
from utt_ros.files import read_limited

METADATA = 'metadata.yaml'
METADATA_KEY = 'rosbag2_bagfile_information'
STORAGE_SUFFIXES = ('.mcap', '.db3')
COMPRESSED_SUFFIX = '.zstd'  # of a file that rosbag2 compressed as a whole
REQUIRED_KEYS = ('relative_file_paths', 'message_count', 'topics_with_message_count')


@dataclass(frozen=True, slots=True)
class BagFiles:
    """Storage files of a bag, its metadata (empty without), and what is wrong with them."""

    paths: tuple[Path, ...]
    metadata: dict[str, Any]
    remarks: tuple[str, ...] = ()

    @property
    def custom_data(self) -> dict[str, str]:
        return custom_data(self.metadata)

    @property
    def message_count(self) -> int | None:
        """Messages of the whole bag; None when metadata does not count them."""
        return _count(self.metadata.get('message_count'))

    def topics(self) -> dict[str, tuple[str, int | None, list[Qos]]]:
        """Return type, number of messages and offered QoS of the topics in the metadata.

        Profiles that cannot be read are left out.
        """
        topics = {}
        for item in self.metadata.get('topics_with_message_count') or ():
            try:
                topic = item['topic_metadata']
                name, kind = str(topic['name']), str(topic['type'])
            except (KeyError, TypeError):
                continue
            offered = topic.get('offered_qos_profiles')
            topics[name] = kind, _count(item.get('message_count')), read_qos(offered)
        return topics

    def type_hashes(self) -> dict[str, str]:
        """Return the hashes of the types of topics, where the metadata hold them."""
        topics = [item.get('topic_metadata') for item in
                  self.metadata.get('topics_with_message_count') or () if isinstance(item, dict)]
        return {str(topic.get('name')): str(topic.get('type_description_hash') or '')
                for topic in topics if isinstance(topic, dict)}


def find_bag_files(path: Path) -> BagFiles:
    """Find the files of a bag, given as a folder or as one storage file.

    Without a readable metadata.yaml these are all storage files of the folder. Raises
    SessionError with the remedy when files are missing.
    """
    if not path.exists():
        raise SessionError(f'{path} does not exist')
    if not path.is_dir():
        if not _is_storage(path):
            raise SessionError(f'{path}: a bag is a folder, .mcap or .db3; '
                               '`rosbags-convert` converts the .bag of ROS 1')
        return BagFiles((path,), {})
    stored = storage_files(path)
    try:
        metadata = read_metadata(path)
        missing = [key for key in REQUIRED_KEYS if key not in metadata]
        if missing:
            raise SessionError(f'{path / METADATA} is not the metadata of a bag: '
                               f'no {", ".join(missing)}')
    except SessionError as err:
        remark = (f'{err}: all storage files of the folder are read; '
                  f'`ros2 bag reindex {path}` writes {METADATA} anew')
        return BagFiles(_unlisted(path, stored, err), {}, (remark,))
    return _listed(path, stored, metadata)


def storage_files(folder: Path) -> list[Path]:
    """List the storage files of a folder by name, without hidden ones such as `._*`."""
    return sorted(path for path in folder.glob('[!.]*') if _is_storage(path) and path.is_file())


def read_metadata(folder: Path) -> dict[str, Any]:
    """Read the metadata of a bag. Raises SessionError when it does not exist or is malformed."""
    path = folder / METADATA
    if not path.is_file():
        raise SessionError(f'{path} does not exist')
    try:
        document = load_yaml_document(read_limited(path, MAX_DOCUMENT_BYTES))
        metadata = document[METADATA_KEY]
    except (OSError, DocumentError) as err:
        raise SessionError(f'{path}: {err}') from err
    except (KeyError, TypeError) as err:
        raise SessionError(f'{path} is not the metadata of a bag: {err}') from err
    if not isinstance(metadata, dict):
        raise SessionError(f'{path} is not the metadata of a bag: it holds {metadata!r:.200}')
    return metadata


def custom_data(metadata: dict[str, Any]) -> dict[str, str]:
    """Return the custom data of a bag as texts; empty where there are none."""
    custom = metadata.get('custom_data')
    if not isinstance(custom, dict):
        return {}
    return {str(key): '' if value is None else str(value) for key, value in custom.items()}


def read_qos(profiles: Any) -> list[Qos]:
    """Read the offered QoS of metadata of any version; empty when it cannot be read."""
    try:
        offered = parse_qos(
            load_yaml_document(profiles) if isinstance(profiles, str) else profiles)
        return offered if all(type(item.depth) is int for item in offered) else []
    except Exception:  # noqa: BLE001 - edited by hand, it raises errors of many types
        return []


def _count(value: Any) -> int | None:
    return value if type(value) is int else None


def _is_storage(path: Path) -> bool:
    name = path.name.removesuffix(COMPRESSED_SUFFIX)
    return PurePath(name).suffix in STORAGE_SUFFIXES


def _unlisted(folder: Path, stored: Iterable[Path], reason: SessionError) -> tuple[Path, ...]:
    """All storage files of a folder; of a file and its compressed copy, the file."""
    paths = {path.name.removesuffix(COMPRESSED_SUFFIX): path
             for path in sorted(stored, key=lambda path: path.name, reverse=True)}
    if not paths:
        raise SessionError(f'{reason}, nor is there a .mcap or .db3 in {folder}')
    if len({PurePath(name).suffix for name in paths}) > 1:
        names = ', '.join(path.name for path in paths.values())
        raise SessionError(f'{reason}, and its storage is ambiguous ({names}): '
                           'give one of these files instead of the folder')
    return tuple(sorted(paths.values()))


def _listed(folder: Path, stored: Iterable[Path], metadata: dict[str, Any]) -> BagFiles:
    """Find the storage files that the metadata list."""
    names = [PurePath(str(name)).name for name in metadata['relative_file_paths'] or ()]
    paths = tuple(folder / name for name in dict.fromkeys(names))
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise SessionError(
            f'{folder}: {", ".join(missing)} is missing, but listed in {METADATA}: restore it, or '
            f'move {METADATA} away to read the other storage files alone')
    unsupported = [path.name for path in paths if not _is_storage(path)]
    if unsupported:
        raise SessionError(f'{folder}: {unsupported[0]} is not .mcap or .db3: '
                           '`ros2 bag convert` writes the bag in one of these storages')
    left = [path.name for path in stored
            if path not in paths and path.with_name(path.name + COMPRESSED_SUFFIX) not in paths]
    remark = (f'{folder}: {", ".join(left)} is not listed in {METADATA} and not read; '
              f'`ros2 bag reindex {folder}` lists it')
    return BagFiles(paths, metadata, (remark,) if left else ())
