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

"""Units of all suites."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.suites import SUITES, suite_units
from utt_ros.evaluation.trained_models import Study


@pytest.mark.parametrize('suite', SUITES)
def test_units_have_unique_keys_that_are_valid_file_names(study: Study, suite: str) -> None:
    keys = [unit.key for unit in suite_units(suite, study)]
    assert keys
    assert len(set(keys)) == len(keys)
    assert not [key for key in keys if '/' in key or not key.startswith(suite)]


def test_unknown_suite_is_refused(study: Study) -> None:
    with pytest.raises(SettingsError, match="suite is 'speed'"):
        suite_units('speed', study)
