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

"""Hand-over to the training thread: order, bounds and waiting."""

import threading
from collections.abc import Callable

import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.types import GlobalModel
from utt_ros.settings import AreaSettings
from utt_ros.training.training_inbox import MAX_QUEUED_WINDOWS, TrainingInbox
from utt_ros.types import Windows

Walk = Callable[..., Windows]


def untrained_model(round_: int) -> GlobalModel:
    return GlobalModel('f', round_, '{}', '', '', b'')


def test_only_the_newest_model_waits_and_windows_keep_their_order(walk: Walk) -> None:
    inbox, first, second = TrainingInbox(), walk(AreaSettings(), 1), walk(AreaSettings(), 2)
    for round_ in (1, 2):
        inbox.put_model(untrained_model(round_))
    inbox.put_windows(first)
    inbox.put_windows(second)
    taken, windows = inbox.take(0.0)
    assert taken == untrained_model(2)
    assert [len(item) for item in windows] == [1, 2]
    assert inbox.take(0.0) == (None, [])


def test_a_full_inbox_drops_the_oldest_windows(walk: Walk) -> None:
    inbox, windows = TrainingInbox(), walk(AreaSettings(), 1)
    for _ in range(MAX_QUEUED_WINDOWS + 3):
        inbox.put_windows(windows)
    assert inbox.dropped == 3
    assert len(inbox.take(0.0)[1]) == MAX_QUEUED_WINDOWS


def test_taking_waits_until_something_arrives() -> None:
    inbox = TrainingInbox()
    threading.Timer(0.05, lambda: inbox.put_model(untrained_model(7))).start()
    assert inbox.take(10.0)[0] == untrained_model(7)


def test_requests_are_answered_in_order_with_their_results_and_errors() -> None:
    inbox, done = TrainingInbox(), []

    def refuse() -> str:
        raise ModelError('there is no model yet')

    first = inbox.put_request(lambda: done.append(1) or 'one')
    withdrawn = inbox.put_request(lambda: done.append(2) or 'two')
    refused = inbox.put_request(refuse)
    assert withdrawn.cancel()
    assert inbox.take(10.0) == (None, [])  # a request ends the wait
    inbox.serve_requests()
    assert (first.result(), done) == ('one', [1])
    with pytest.raises(ModelError, match='no model yet'):
        refused.result()
    inbox.serve_requests()
    assert done == [1]
