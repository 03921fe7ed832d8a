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

import json
from pathlib import Path

import pytest
import yaml

from utt_ros.association.pair_scorer import read_scorer
from utt_ros.documents import (
    MAX_DOCUMENT_DEPTH,
    MAX_YAML_NODES,
    load_json,
    load_yaml_document,
)
from utt_ros.drivers.camera.camera_calibration import read_lens_calibration
from utt_ros.drivers.ftm.calibration_points import read_calibration_points
from utt_ros.drivers.ftm.ftm_calibration import read_ftm_calibration
from utt_ros.errors import DocumentError, UttError
from utt_ros.federation.checkpoints import LOG, read_round_log
from utt_ros.federation.wire import serialize
from utt_ros.models.saved_model import read_saved_model
from utt_ros.models.settings import load_config
from utt_ros.parameter_files import read_node_parameters, read_parameter_file
from utt_ros.parameter_yaml import load_yaml
from utt_ros.sessions.bag_files import custom_data, read_metadata, read_qos
from utt_ros.task_twins.registry_file import parse_registry, parse_twin

BOMB = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'a{k}: &a{k} [{", ".join([f"*a{k - 1}"] * 9)}]\n' for k in range(1, 12))
HOSTILE_JSON = {
    'lists': '[' * 200_000, 'objects': '{"a":' * 100_000, 'both': '{"a":[' * 50_000,
    'many digits': '9' * 5000, 'a list of many digits': f'[{"9" * 401}]',
    'an object of many digits': f'{{"period": {"9" * 401}}}', 'an infinite number': '1e999',
    'no text': b'\xff\xfe\x00', 'a lone surrogate': '"\\ud800"',
    'unterminated': '"' + '[{' * 99_999,
    'nothing': '', 'null': 'null', 'a number': '3', 'names of many kinds': '{"": {}, "a": [[]]}'}
HOSTILE_YAML = {
    **HOSTILE_JSON, 'alias bomb': BOMB, 'merge bomb': BOMB.replace('[x', '{x: [x').replace(
        'x]', 'x]}', 1), 'itself': '&a [*a]', 'an alias of nothing': '*a',
    'dashes': '- ' * 100_000, 'indents': ''.join(' ' * k + 'a:\n' for k in range(1000)),
    'no such day': 'a: 2020-99-99', 'no such zone': 'a: 2001-01-01T00:00:00+99:99',
    'no such truth': '!!bool x', 'no integer': '!!int ""', 'no time': '!!timestamp x',
    'an object of Python': '!!python/object/apply:os.system [ls]',
    'a list as a key': '? [a]\n: b', 'two documents': 'a: 1\n---\nb: 2',
    'control characters': 'a: \x00', 'no base 64': '!!binary a'}


def refusal_of(read) -> str:
    """Return the sentence of a refusal, empty where there is none; other errors fail the test."""
    try:
        read()
    except UttError as err:
        return str(err)
    return ''


@pytest.mark.parametrize(('text', 'content'), [
    ('[' * MAX_DOCUMENT_DEPTH + ']' * MAX_DOCUMENT_DEPTH, None), ('[[], []]', [[], []]),
    ('["' + '[' * 999 + '"]', ['[' * 999]), ('["\\"[", "["]', ['"[', '[']),
    ('\ufeff'.encode() + b'{}', {}),
    ('[' + ','.join(['[]'] * 999) + ']', [[]] * 999)])
def test_json_within_the_limits_is_loaded(text, content):
    assert load_json(text) == (json.loads(text) if content is None else content)


def test_one_level_more_than_the_limit_is_refused_with_its_place():
    depth = MAX_DOCUMENT_DEPTH + 1
    for load in (load_json, load_yaml_document):
        with pytest.raises(DocumentError, match='nested more than 64 deep at character 64'):
            load('[' * depth + ']' * depth)


@pytest.mark.parametrize('load', [load_json, load_yaml_document, load_yaml])
def test_a_larger_document_than_allowed_is_refused_before_it_is_parsed(load):
    with pytest.raises(DocumentError, match='longer than'):
        load(b'x' * (2**24 + 1))


def test_aliases_are_expanded_within_the_limit():
    assert load_yaml_document('a: &x [1, 2]\nb: {<<: {c: *x}}\nd: &y e\nf: *y') == {
        'a': [1, 2], 'b': {'c': [1, 2]}, 'd': 'e', 'f': 'e'}


def test_the_limit_counts_what_aliases_stand_for():
    few = f'a: &a [{", ".join("x" * 999)}]\nb: [{", ".join(["*a"] * 400)}]'
    assert len(load_yaml_document(few)['b']) == 400
    with pytest.raises(DocumentError, match=f'more than {MAX_YAML_NODES} values'):
        load_yaml_document(few + f'\nc: [{", ".join(["*a"] * 200)}]')


@pytest.mark.parametrize('loader', [yaml.SafeLoader, yaml.CSafeLoader, yaml.BaseLoader])
@pytest.mark.parametrize('kind', HOSTILE_YAML)
def test_hostile_yaml_is_loaded_or_refused_in_a_sentence(kind, loader):
    refusal = refusal_of(lambda: load_yaml_document(HOSTILE_YAML[kind], loader))
    assert len(refusal) < 400


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode('utf-8'))
    return path


def _card(path: Path, content: str | bytes) -> None:
    text = content if isinstance(content, str) else content.decode('latin-1')
    path.write_bytes(serialize({}, {'card': text}))
    read_saved_model(path)


def _metadata(path: Path, content: str | bytes) -> None:
    _write(path.parent / 'metadata.yaml', content)
    custom_data(read_metadata(path.parent))


def _round(path: Path, content: str | bytes) -> None:
    line = content if isinstance(content, bytes) else content.encode()
    _write(path.parent / LOG, line + b'\n')
    read_round_log(path.parent)


FILE_READERS = {
    'area file': lambda path, content: read_parameter_file(_write(path, content)),
    'node parameters': lambda path, content: read_node_parameters(
        [_write(path, content)], '/hall/twin'),
    'metadata of a bag': _metadata,
    'calibration': lambda path, content: read_ftm_calibration(_write(path, content)),
    'calibration points': lambda path, content: read_calibration_points(_write(path, content)),
    'lens': lambda path, content: read_lens_calibration(_write(path, content)),
    'scorers': lambda path, content: read_scorer('fused', _write(path, content)),
    'card': _card, 'rounds': _round,
    'registry': lambda _, content: parse_registry(
        content if isinstance(content, bytes) else content.encode()),
    'twin': lambda _, content: parse_twin(
        content if isinstance(content, str) else content.decode('latin-1')),
    'configuration': lambda _, content: load_config(
        content if isinstance(content, str) else content.decode('latin-1'))}


@pytest.mark.timeout(60)
@pytest.mark.parametrize('reader', FILE_READERS)
@pytest.mark.parametrize('kind', HOSTILE_YAML)
def test_every_reader_of_files_refuses_hostile_ones_by_an_error_of_its_own(
    tmp_path, reader, kind,
):
    content = HOSTILE_YAML[kind]
    refusal = refusal_of(lambda: FILE_READERS[reader](tmp_path / 'file.yaml', content))
    assert len(refusal) < 1000


def test_qos_of_brackets_or_bombs_is_none():
    assert read_qos('[' * 200_000) == read_qos(BOMB) == []
