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

import threading

from utt_ros.twin.latest_worker import LatestOnlyWorker


def test_a_new_item_replaces_the_one_that_waits():
    done, begun, go_on = [], threading.Event(), threading.Event()

    def work(item):
        begun.set()
        assert go_on.wait(5.0)
        done.append(item)

    worker = LatestOnlyWorker('test', work)
    worker.put('first')
    assert begun.wait(5.0)
    for item in ('second', 'third', 'fourth'):
        worker.put(item)
    go_on.set()
    worker._pool.submit(lambda: None).result(5.0)
    worker.close()
    assert done == ['first', 'fourth']


def test_items_of_different_keys_do_not_replace_each_other():
    done, go_on = [], threading.Event()

    def work(item):
        assert go_on.wait(5.0)
        done.append(item)

    worker = LatestOnlyWorker('test', work, key=lambda item: item[0], max_waiting=3)
    for item in ('start', 'a1', 'b1', 'a2', 'b2', 'b3'):
        worker.put(item)
    go_on.set()
    worker._pool.submit(lambda: None).result(5.0)
    worker.close()
    assert done[-2:] == ['a2', 'b3']
    assert len(done) <= 4  # the worker may have taken one before its successor came


def test_items_of_more_keys_than_may_wait_are_dropped_and_replacements_are_not():
    done, begun, go_on = [], threading.Event(), threading.Event()

    def work(item):
        begun.set()
        assert go_on.wait(5.0)
        done.append(item)

    worker = LatestOnlyWorker('test', work, key=lambda item: item[0], max_waiting=2)
    worker.put('start')
    assert begun.wait(5.0)
    assert [worker.put(item) for item in ('a1', 'b1', 'c1', 'a2')] == [True, True, False, True]
    go_on.set()
    worker._pool.submit(lambda: None).result(5.0)
    assert worker.put('c2')
    worker._pool.submit(lambda: None).result(5.0)
    worker.close()
    assert done == ['start', 'a2', 'b1', 'c2']


def test_closing_drops_the_waiting_item_and_ends_the_thread():
    before = threading.active_count()
    worker = LatestOnlyWorker('test', lambda item: None)
    worker.put(1)
    worker.close()
    assert threading.active_count() == before
