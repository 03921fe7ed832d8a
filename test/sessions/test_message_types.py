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

import utt_ros.msg
from rosbags.rosbag2 import Reader


def test_type_hashes_are_those_of_the_generated_interfaces(bag: Path) -> None:
    places = (parent / 'share' / 'utt_ros' for parent in Path(utt_ros.msg.__file__).parents)
    share = next(place for place in places if place.is_dir())
    with Reader(bag) as reader:
        ours = {item.msgtype: item.digest for item in reader.connections
                if item.msgtype.startswith('utt_ros/')}
    for msgtype, digest in ours.items():
        described = json.loads((share / 'msg' / f'{msgtype.split("/")[2]}.json').read_text())
        assert {item['hash_string'] for item in described['type_hashes']
                if item['type_name'] == msgtype} == {digest}
    assert len(ours) == 2
