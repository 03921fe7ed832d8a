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

"""Services for operators: one sentence, also for what is refused."""

from concurrent.futures import Future
from typing import Any

import pytest
from std_srvs.srv import SetBool, Trigger

from utt_ros.bridge.node import operator_services
from utt_ros.bridge.node.operator_services import add_switch, add_trigger, wait_for_answer
from utt_ros.errors import ModelError, UttError


def sentence(response: Any) -> tuple[bool, str]:
    return response.success, response.message


def test_trigger_answers_with_the_sentence_of_its_action_or_of_its_error(node, call):
    def refuse() -> str:
        raise ModelError('there is no model yet')

    add_trigger(node, 'save', lambda: 'saved')
    add_trigger(node, 'pin', refuse)
    assert sentence(call(Trigger, 'save')) == (True, 'saved')
    assert sentence(call(Trigger, 'pin')) == (False, 'there is no model yet')


def test_switch_passes_its_position_to_the_action(node, call):
    add_switch(node, 'pause', lambda on: f'paused: {on}')
    assert sentence(call(SetBool, 'pause', data=True)) == (True, 'paused: True')
    assert sentence(call(SetBool, 'pause', data=False)) == (True, 'paused: False')


@pytest.mark.parametrize(('is_running', 'outcome'), [(False, 'was withdrawn'), (True, 'goes on')])
def test_request_that_another_thread_does_not_answer_in_time_is_withdrawn(
    monkeypatch: pytest.MonkeyPatch, is_running: bool, outcome: str,
) -> None:
    monkeypatch.setattr(operator_services, 'MAX_ANSWER_SEC', 0.01)
    pending: Future[str] = Future()
    if is_running:
        pending.set_running_or_notify_cancel()
    with pytest.raises(UttError, match=f'the request {outcome} after 0.01 s'):
        wait_for_answer(pending)
    assert pending.cancelled() is not is_running


def test_answer_and_error_of_another_thread_are_passed_on() -> None:
    answered, failed = Future(), Future()
    answered.set_result('saved')
    failed.set_exception(ModelError('the disk is full'))
    assert wait_for_answer(answered) == 'saved'
    with pytest.raises(ModelError, match='the disk is full'):
        wait_for_answer(failed)
