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

from utt_ros.text_table import align_columns


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert align_columns(['name', 'count'], [['a', '7'], ['longer', '1234567']]) == [
        '  name      count', '  a             7', '  longer  1234567']


def test_table_without_rows_has_no_head() -> None:
    assert align_columns(['name'], []) == []


def test_left_columns_and_indent_are_chosen() -> None:
    assert align_columns(['a', 'bb'], [['1', '2']], left=2, indent='') == ['a  bb', '1  2']
