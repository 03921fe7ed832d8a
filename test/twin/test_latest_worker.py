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

from utt_ros.errors import ModelError
from utt_ros.twin.latest_worker import LatestOnlyWorker, describe_error

WAIT_SEC = 60.0


def fail(item, err):
    raise AssertionError(item) from err


def test_a_new_item_replaces_the_one_that_waits():
    done, begun, go_on = [], threading.Event(), threading.Event()

    def work(item):
        begun.set()
        assert go_on.wait(WAIT_SEC)
        done.append(item)

    worker = LatestOnlyWorker('test', work, fail)
    worker.put('first')
    assert begun.wait(WAIT_SEC)
    for item in ('second', 'third', 'fourth'):
        worker.put(item)
    go_on.set()
    worker._pool.submit(lambda: None).result(WAIT_SEC)
    worker.close()
    assert done == ['first', 'fourth']


def test_items_of_different_keys_do_not_replace_each_other():
    done, go_on = [], threading.Event()

    def work(item):
        assert go_on.wait(WAIT_SEC)
        done.append(item)

    worker = LatestOnlyWorker('test', work, fail, key=lambda item: item[0], max_waiting=3)
    for item in ('start', 'a1', 'b1', 'a2', 'b2', 'b3'):
        worker.put(item)
    go_on.set()
    worker._pool.submit(lambda: None).result(WAIT_SEC)
    worker.close()
    assert done[-2:] == ['a2', 'b3']
    assert len(done) <= 4  # the worker may have taken one before its successor came


def test_items_of_more_keys_than_may_wait_are_dropped_and_replacements_are_not():
    done, begun, go_on = [], threading.Event(), threading.Event()

    def work(item):
        begun.set()
        assert go_on.wait(WAIT_SEC)
        done.append(item)

    worker = LatestOnlyWorker('test', work, fail, key=lambda item: item[0], max_waiting=2)
    worker.put('start')
    assert begun.wait(WAIT_SEC)
    assert [worker.put(item) for item in ('a1', 'b1', 'c1', 'a2')] == [True, True, False, True]
    go_on.set()
    worker._pool.submit(lambda: None).result(WAIT_SEC)
    assert worker.put('c2')
    worker._pool.submit(lambda: None).result(WAIT_SEC)
    worker.close()
    assert done == ['start', 'a2', 'b1', 'c2']


def test_closing_drops_the_waiting_item_and_ends_the_thread():
    before = threading.active_count()
    worker = LatestOnlyWorker('test', lambda item: None, fail)
    worker.put(1)
    worker.close()
    assert threading.active_count() == before


def test_an_item_whose_work_fails_is_reported_and_the_next_is_processed():
    done, refused = [], []

    def work(item):
        done.append(1 / item)

    worker = LatestOnlyWorker('test', work, lambda item, err: refused.append((item, str(err))))
    for item in (0, 2):
        worker.put(item)
        worker._pool.submit(lambda: None).result(WAIT_SEC)
    worker.close()
    assert (done, refused) == ([0.5], [(0, 'division by zero')])


def test_an_error_from_elsewhere_is_described_with_its_type():
    assert describe_error(KeyError('a')) == "KeyError('a')"
    assert describe_error(ModelError('no graph')) == 'no graph'
