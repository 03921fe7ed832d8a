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

"""YAML of parameter files means what rcl reads in it."""

import pytest

from utt_ros.parameter_yaml import load_yaml


@pytest.mark.parametrize(('text', 'number'), [
    ('5e2', 500.0), ('5.28e2', 528.0), ('1e-3', 1e-3), ('1e-05', 1e-5), ('5E+2', 500.0),
    ('-2e1', -20.0), ('+2e1', 20.0), ('.5', 0.5), ('.5e1', 5.0), ('5.', 5.0), ('1.e3', 1000.0),
    ('12e03', 12000.0), ('528.365', 528.365), ('.inf', float('inf')), ('-.inf', float('-inf')),
    ('500', 500), ('-3', -3), ('+3', 3), ('0', 0), ('0x1F', 31), ('017', 15)])
def test_numbers_are_read_as_rcl_reads_them(text, number):
    loaded = load_yaml(f'a: {text}')['a']
    assert (loaded, type(loaded)) == (number, type(number))
    assert load_yaml(f'[{text}, {text}]') == [number, number]


@pytest.mark.parametrize('text', [
    '1:30', '10:20:30', '1_000', '1e', 'e5', '1.2.3', '5e2m', '02:00:00:00:00:01', '1e5.5', '.'])
def test_what_rcl_takes_for_a_text_is_a_text(text):
    assert load_yaml(f'a: {text}') == {'a': text}
