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

"""Numbers of the command line are within their limits."""

from argparse import Namespace

import pytest

from utt_ros.cli.argument_limits import check_arguments
from utt_ros.errors import SettingsError


def test_both_limits_are_allowed_and_the_first_number_beyond_is_named() -> None:
    limits = {'areas': (1, 9), 'people': (2, 4)}
    check_arguments(Namespace(areas=1, people=4, rounds=0), limits)
    check_arguments(Namespace(areas=9, people=2), limits)
    for areas, people, text in ((0, 1, '--areas is 0: it must be within 1..9'),
                                (9, 5, '--people is 5: it must be within 2..4')):
        with pytest.raises(SettingsError, match=text):
            check_arguments(Namespace(areas=areas, people=people), limits)
