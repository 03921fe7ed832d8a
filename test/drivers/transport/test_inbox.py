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

from collections import Counter
from threading import Thread

from utt_ros.drivers.transport.inbox import Inbox
from utt_ros.drivers.transport.sockets import Arrival


def arrival(data: bytes) -> Arrival:
    return Arrival('10.0.0.2', data, 1)


def test_arrivals_beyond_the_number_or_the_bytes_are_refused_and_counted() -> None:
    counters: Counter[str] = Counter()
    inbox = Inbox(2, 10, counters)
    assert [inbox.put(arrival(data)) for data in (b'12345', b'123456', b'1', b'')] == [
        True, False, True, False]
    assert counters == {'queue_full': 2}
    assert [one.data for one in inbox.take(0.0)] == [b'12345', b'1']
    assert inbox.put(arrival(b'0123456789'))


def test_take_waits_for_another_thread_at_most_for_its_timeout() -> None:
    inbox = Inbox(2, 10, Counter())
    assert inbox.take(0.01) == []
    thread = Thread(target=inbox.put, args=(arrival(b'x'),))
    thread.start()
    assert [one.data for one in inbox.take(10.0)] == [b'x']
    thread.join()
