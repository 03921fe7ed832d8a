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

"""Priorities of threads of a real process, and the accounting of the kernel."""

import os
import subprocess
import sys
import threading
import time

import pytest

from utt_ros.training.thread_priority import (
    AUTOGROUP,
    ProcessorTime,
    read_processor_time,
    use_idle_priority,
)

SESSION = """
import threading
from utt_ros.training.thread_priority import *
from utt_ros.training.thread_priority import AUTOGROUP
use_idle_priority()
print(AUTOGROUP.read_text().strip())
import time; time.sleep(0.2)  # the kernel refuses quick changes
raise_priority(threading.get_native_id())
print(AUTOGROUP.read_text().strip())
"""


@pytest.mark.skipif(not AUTOGROUP.exists(), reason='this kernel does not group by session')
@pytest.mark.parametrize('own', [True, False])
def test_idle_priority_lowers_the_session_only_where_the_process_leads_it(own: bool) -> None:
    before = AUTOGROUP.read_text().strip()
    lines = subprocess.run(
        [sys.executable, '-c', SESSION], start_new_session=own, check=True,
        capture_output=True, text=True).stdout.splitlines()
    niceness = [line.rpartition(' ')[2] for line in lines]
    assert niceness == ['19', '0'] if own else lines == [before, before]
    assert AUTOGROUP.read_text().strip() == before


def test_idle_priority_is_that_of_the_calling_thread_alone() -> None:
    schedulers = []

    def lower() -> None:
        use_idle_priority()
        schedulers.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=lower)
    thread.start()
    thread.join()
    assert schedulers == [os.SCHED_IDLE]
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_processor_time_is_that_of_the_thread() -> None:
    own = threading.get_native_id()
    before, begin_s = read_processor_time(own), time.thread_time()
    while time.thread_time() < begin_s + 0.05:
        pass
    assert read_processor_time(own).since(before).ran_s >= 0.04


def test_thread_that_does_not_exist_has_no_processor_time() -> None:
    assert read_processor_time(2**30) == ProcessorTime(0.0, 0.0)


@pytest.mark.parametrize(('ran_s', 'waited_s', 'share'), [
    (1.0, 3.0, 0.25), (2.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_share_is_of_the_time_that_was_wanted(
    ran_s: float, waited_s: float, share: float,
) -> None:
    assert ProcessorTime(ran_s, waited_s).share == share
