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

"""Choice of the priority of actions by the processor time that they get."""

from collections.abc import Iterator
from threading import Event, get_native_id

import pytest

from utt_ros.training.thread_priority import ProcessorTime
from utt_ros.training.yielding_runner import (
    GUARANTEED_SHARE,
    LOOK_SEC,
    MAX_CREDIT_SEC,
    MAX_DEBT_SEC,
    ProcessorBudget,
    YieldingRunner,
)


class Machine:
    """Stand-in of the kernel: actions say what they get, by thread."""

    def __init__(self) -> None:
        self.own = get_native_id()
        self.times: dict[int, ProcessorTime] = {}
        self.log: list[str] = []
        self.raised = Event()
        self.refusals = 0  # of `restore`

    def read(self, thread_id: int) -> ProcessorTime:
        return self.times.get(thread_id, ProcessorTime(0.0, 0.0))

    def work(self, ran_s: float, waited_s: float) -> None:
        own = get_native_id()
        before = self.read(own)
        self.times[own] = ProcessorTime(before.ran_s + ran_s, before.waited_s + waited_s)
        self.log.append('normal' if own == self.own else 'idle')

    def lower(self) -> None:
        self.log.append('lowered')

    def restore(self, thread_id: int) -> bool:
        assert thread_id != self.own
        self.log.append('raised')
        self.raised.set()
        self.refusals -= 1
        return self.refusals < 0


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def runner(machine: Machine) -> Iterator[YieldingRunner]:
    made = YieldingRunner(machine.lower, machine.restore, machine.read)
    yield made
    made.close()


def test_actions_are_at_idle_priority_once_the_machine_is_known_to_be_quiet(
    machine: Machine, runner: YieldingRunner,
) -> None:
    for _ in range(4):
        runner.run(lambda: machine.work(0.06, 0.0))
    assert machine.log == ['normal', 'normal', 'lowered', 'idle', 'idle']
    assert runner.pause_sec() == 0.0


def test_actions_stay_at_normal_priority_on_a_busy_machine(
    machine: Machine, runner: YieldingRunner,
) -> None:
    for _ in range(5):
        runner.run(lambda: machine.work(1.0, 1.0))
    assert machine.log == ['normal'] * 5
    assert runner.pause_sec() == pytest.approx(MAX_DEBT_SEC / GUARANTEED_SHARE, abs=1.0)


def test_first_actions_cost_nothing(machine: Machine, runner: YieldingRunner) -> None:
    runner.run(lambda: machine.work(100.0, 100.0), free=True)
    assert runner.pause_sec() == 0.0


def test_actions_that_starved_at_idle_priority_are_followed_by_normal_ones_until_it_is_quiet(
    machine: Machine, runner: YieldingRunner,
) -> None:
    for ran_s, waited_s in ((1.0, 0.0), (0.01, 5.0), (0.5, 0.5), (0.5, 0.0), (0.5, 0.5)):
        runner.run(lambda: machine.work(ran_s, waited_s))  # noqa: B023
    assert machine.log == [
        'normal', 'lowered', 'idle', 'raised', 'normal', 'normal', 'lowered', 'idle']


def test_raise_that_was_refused_is_tried_again_before_the_next_normal_action(
    machine: Machine, runner: YieldingRunner,
) -> None:
    machine.refusals = 2
    for ran_s, waited_s in ((1.0, 0.0), (0.01, 5.0), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5)):
        runner.run(lambda: machine.work(ran_s, waited_s))  # noqa: B023
    assert machine.log == ['normal', 'lowered', 'idle', 'raised', 'raised', 'normal', 'raised',
                           'normal', 'normal']


def test_action_that_starves_is_raised_while_it_runs(
    machine: Machine, runner: YieldingRunner,
) -> None:
    def starve() -> bool:
        machine.work(0.01, LOOK_SEC)
        return machine.raised.wait(30.0)

    runner.run(lambda: machine.work(1.0, 0.0))
    assert runner.run(starve)
    assert not runner.is_quiet


def test_actions_return_their_result_or_error_at_either_priority(
    machine: Machine, runner: YieldingRunner,
) -> None:
    for _ in range(2):
        assert runner.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            runner.run(lambda: 1 // 0)
        runner.run(lambda: machine.work(1.0, 0.0))
    assert machine.log[-1] == 'idle'


def test_budget_is_a_share_of_the_time_and_saved_up_to_a_limit() -> None:
    budget = ProcessorBudget(0.0)
    assert budget.pause_sec(1000.0) == 0.0
    budget.spend(MAX_CREDIT_SEC + 0.9)
    assert budget.pause_sec(1000.0) == pytest.approx(0.9 / GUARANTEED_SHARE)
    assert budget.pause_sec(1004.0) == pytest.approx(0.9 / GUARANTEED_SHARE - 4.0)
    assert budget.pause_sec(1011.0) == 0.0


def test_pause_after_a_long_action_is_limited() -> None:
    budget = ProcessorBudget(0.0)
    budget.spend(500.0)
    assert budget.pause_sec(0.0) == pytest.approx(MAX_DEBT_SEC / GUARANTEED_SHARE)
