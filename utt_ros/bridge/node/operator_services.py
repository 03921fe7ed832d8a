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

"""Services for operators, relative to a node: triggers and switches with one sentence each."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from utt_ros.errors import UttError

MAX_ANSWER_SEC = 4.0  # below the 5 s of ticks that wait in a RELIABLE queue


def add_trigger(node: Node, name: str, action: Callable[[], str]) -> None:
    """Create the Trigger service `~/name`.

    `action` returns the answer; the text of a UttError is the answer of a refused request.
    """
    def answer(_request: Trigger.Request, response: Any) -> Any:
        return answer_request(response, action)

    node.create_service(Trigger, f'~/{name}', answer)


def add_switch(node: Node, name: str, action: Callable[[bool], str]) -> None:
    """Create the SetBool service `~/name`, as `add_trigger` does."""
    def answer(request: SetBool.Request, response: Any) -> Any:
        return answer_request(response, lambda: action(request.data))

    node.create_service(SetBool, f'~/{name}', answer)


def wait_for_answer(pending: 'Future[str]') -> str:
    """Return the answer of the thread that carries out a request.

    Raises UttError when it does not come in time; a request that has not begun is withdrawn then.
    """
    try:
        return pending.result(MAX_ANSWER_SEC)
    except FutureTimeout:
        outcome = 'was withdrawn' if pending.cancel() else 'goes on'
        raise UttError(f'the request {outcome} after {MAX_ANSWER_SEC:g} s, which is the limit: '
                       'another piece of work takes longer') from None


def answer_request(response: Any, action: Callable[[], str]) -> Any:
    """Fill `success` and `message` of a response with the outcome of an action."""
    try:
        response.message, response.success = action(), True
    except UttError as err:
        response.message, response.success = str(err), False
    return response
