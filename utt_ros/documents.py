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

"""JSON and YAML of files and messages, limited in size and nesting before they are parsed."""

import json
import re
from hashlib import sha256
from typing import Any

import yaml

from utt_ros.errors import DocumentError

MAX_DOCUMENT_BYTES = 16 * 2**20
MAX_DOCUMENT_DEPTH = 64  # lists and objects within each other
MAX_YAML_NODES = 500_000  # with each alias as large as what it stands for
MAX_REASON_LENGTH = 300  # characters
BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)  # texts hide brackets in them


def load_json(content: str | bytes, max_bytes: int = MAX_DOCUMENT_BYTES) -> Any:
    """Load JSON. Raises DocumentError when it is too large, too deep or malformed."""
    text = _text(content, max_bytes)
    if text.count('[') + text.count('{') > MAX_DOCUMENT_DEPTH:
        _check_depth(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError, OverflowError) as err:
        raise DocumentError(f'not JSON: {_reason(err)}') from err


def json_checksum(content: Any) -> str:
    """Return the SHA-256 of a JSON document, in hexadecimal digits; the order of keys is none."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_yaml_document(
    content: str | bytes, loader: Any = yaml.CSafeLoader, max_bytes: int = MAX_DOCUMENT_BYTES,
) -> Any:
    """Load one YAML document with a safe loader. Raises DocumentError as `load_json`.

    Aliases are counted with the size of what they stand for before they are expanded.
    """
    text = _text(content, max_bytes)
    try:
        count = _NodeCount()
        for event in yaml.parse(text, Loader=loader):
            count.add(event)
        return yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, by the caller
    except DocumentError:
        raise
    except Exception as err:  # constructors raise errors of many types for values they refuse
        raise DocumentError(f'not YAML: {_reason(err)}') from err


def _text(content: str | bytes, max_bytes: int) -> str:
    if len(content) > max_bytes:
        raise DocumentError(f'it is longer than {max_bytes} bytes')
    try:
        return content if isinstance(content, str) else content.decode('utf-8-sig')
    except UnicodeDecodeError as err:
        raise DocumentError(f'not UTF-8: {err.reason} at byte {err.start}') from err


def _check_depth(text: str) -> None:
    depth = 0
    for match in BRACKETS.finditer(text):
        mark = match[0]
        if mark in '[{':
            depth += 1
            if depth > MAX_DOCUMENT_DEPTH:
                raise DocumentError(_too_deep(match.start()))
        elif mark in ']}':
            depth -= 1


class _NodeCount:
    """Nodes of a document by its events. Raises DocumentError where it is too deep or large."""

    def __init__(self) -> None:
        self._nodes = 0
        self._sizes: dict[str, int] = {}  # nodes below each anchor, the aliases expanded
        self._open: list[tuple[str | None, int]] = []  # anchors, and the nodes before them

    def add(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            if anchor is not None:
                self._sizes[anchor] = self._nodes - before
        elif isinstance(event, yaml.NodeEvent):
            self._nodes += self._size(event)
            if self._nodes > MAX_YAML_NODES:
                raise DocumentError(f'it has more than {MAX_YAML_NODES} values, with the aliases '
                                    'expanded')

    def _size(self, event: Any) -> int:
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._nodes))
            if len(self._open) > MAX_DOCUMENT_DEPTH:
                raise DocumentError(_too_deep(getattr(event.start_mark, 'index', 0)))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._sizes:
                raise DocumentError(f'the alias {event.anchor!r:.64} has no anchor before it')
            return self._sizes[event.anchor]
        elif event.anchor is not None:
            self._sizes[event.anchor] = 1
        return 1


def _too_deep(position: int) -> str:
    return f'it is nested more than {MAX_DOCUMENT_DEPTH} deep at character {position}'


def _reason(err: Exception) -> str:
    return ' '.join(f'{type(err).__name__}: {err}'.split())[:MAX_REASON_LENGTH]
