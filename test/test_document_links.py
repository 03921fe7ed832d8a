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
"""Links between documents, and their anchors."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / 'docs'
DOCUMENTS = sorted([*ROOT.glob('*.md'), *DOCS.rglob('*.md')])
LINK = re.compile(r'\]\(([^()\s]+)\)')
FENCED = re.compile(r'^( *)```.*?^\1```', re.MULTILINE | re.DOTALL)


@cache
def prose(path: Path) -> str:
    """Return a document without its code blocks."""
    return FENCED.sub('', path.read_text(encoding='utf-8'))


@cache
def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a document, as GitHub and the site name them."""
    headings = re.findall(r'^#+ (.+)$', prose(path), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).strip().replace(' ', '-')
            for heading in headings}


def links(path: Path) -> Iterator[str]:
    """Yield the targets of a document within the repository."""
    code_free = re.sub(r'`[^`\n]*`', '', prose(path))
    return (target for target in LINK.findall(code_free) if not re.match(r'\w+:', target))


def is_broken(path: Path, target: str) -> bool:
    name, _, anchor = target.partition('#')
    other = (path.parent / name).resolve() if name else path
    return not other.is_file() or (bool(anchor) and anchor not in anchors(other))


def test_a_link_to_a_missing_file_or_anchor_is_broken() -> None:
    assert is_broken(DOCS / 'index.md', 'none.md')
    assert is_broken(DOCS / 'index.md', 'running.md#none')
    assert is_broken(DOCS / 'index.md', 'sources')
    assert not is_broken(DOCS / 'index.md', 'running.md#start-failure-stop')


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_to_files_and_headings_that_exist(path: Path) -> None:
    assert not [target for target in links(path) if is_broken(path, target)]


def test_links_of_the_site_stay_within_it() -> None:
    assert not [f'{path.relative_to(ROOT)}: {target}' for path in DOCUMENTS
                if path.is_relative_to(DOCS) for target in links(path)
                if not (path.parent / target).resolve().is_relative_to(DOCS)]
