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

"""Which access point a range is from, and whose ranges are refused and named."""

from utt_ros.sync.access_points import MAX_NAMED_ADDRESSES, AccessPointSelector


def test_the_first_address_heard_is_that_of_an_area_without_one():
    selector = AccessPointSelector()
    assert [selector.select(name) for name in ('', 'AB:01', 'ab:01', 'ab:02', '', 'AB:01')] == [
        0, 0, 0, None, 0, 0]
    assert selector.explain() == (
        "ranges of access points 'ab:02' are refused: the area has 'ab:01', the first one heard; "
        'list each of them with its position in access_points')


def test_refused_addresses_are_named_once_and_their_number_and_length_are_bounded():
    selector = AccessPointSelector(['a'])
    for number in range(3 * MAX_NAMED_ADDRESSES):
        for _ in range(2):
            assert selector.select(f'{number}' + 'x' * 10_000) is None
    assert selector.explain().count('xxx') <= MAX_NAMED_ADDRESSES * 12
    assert len(selector.explain()) < 500
