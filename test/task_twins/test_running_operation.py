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

"""Operation in work: it can be canceled until it writes."""

import pytest

from utt_ros.task_twins.operation_request import OperationRequest
from utt_ros.task_twins.running_operation import OperationCanceled, RunningOperation

REQUEST = OperationRequest('transfer', ('hall_position',))


def test_cancel_before_the_commit_ends_the_operation() -> None:
    running = RunningOperation(REQUEST)
    running.check()
    assert running.cancel()
    for call in (running.check, running.commit):
        with pytest.raises(OperationCanceled, match='transfer of hall_position was canceled'):
            call()


def test_cancel_after_the_commit_is_too_late() -> None:
    running = RunningOperation(REQUEST)
    running.commit()
    assert not running.cancel()
    running.check()
