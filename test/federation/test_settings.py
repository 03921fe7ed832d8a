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

"""Settings of the aggregator."""

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings, valid_area


@pytest.mark.parametrize(('settings', 'message'), [
    ({'quorum': 3, 'areas': ('north', 'south')}, 'quorum is 3: at most 2 areas'),
    ({'quorum': 5, 'max_areas': 4}, 'quorum is 5: at most 4 areas'),
    ({'weighting': 'median'}, "weighting is 'median': .* one of coordinate_median, gated"),
    ({'compression': 'gzip'}, "compression is 'gzip': it must be one of none, int8"),
    ({'areas': ('north', 'so/uth')}, "areas has 'so/uth', which is not a name"),
    ({'areas': (1,)}, 'areas has 1, which is not a name'),
    ({'deadline': -1.0}, r'deadline is -1.0: it must be at least 0.0'),
])
def test_invalid_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        AggregatorSettings(**settings)


@pytest.mark.parametrize('name', ['', 'no/area', '1st', 'bär', 'a' * (MAX_NAME_LENGTH + 1), 3])
def test_a_name_that_no_topic_can_have_is_invalid(name: object) -> None:
    assert not valid_area(name)


def test_the_state_folder_is_expanded() -> None:
    assert '~' not in str(AggregatorSettings().state_path)


def test_a_root_of_trust_needs_its_rule_and_its_folder(tmp_path: Path) -> None:
    trusted = AggregatorSettings(weighting='fltrust', trust_sessions=str(tmp_path))
    assert trusted.trust_path == tmp_path
    with pytest.raises(SettingsError, match="trust_sessions is '/x': only the weighting"):
        AggregatorSettings(trust_sessions='/x')
    with pytest.raises(SettingsError, match="weighting is 'fltrust': it needs trust_sessions"):
        AggregatorSettings(weighting='fltrust')
    nowhere = AggregatorSettings(weighting='fltrust', trust_sessions=str(tmp_path / 'no'))
    with pytest.raises(SettingsError, match='there is no such folder'):
        _ = nowhere.trust_path
