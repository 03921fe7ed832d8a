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

"""Samples of the synchronizer depend on stamps, not on the order of arrival."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer

MS = 1_000_000
SETTINGS = SyncSettings()
LAG_NS = round(SETTINGS.lag * 1e9)
SKEW_NS = round((SETTINGS.max_wait - SETTINGS.max_gap) * 1e9)
FEW = settings(max_examples=15, deadline=None,
               suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = st.integers(0, 2**32 - 1)


def arrive(rng, events, delay_ns, in_order):
    """Return events in order of arrival with random delays up to `delay_ns(event)`.

    `in_order(event)` is the stream within which messages keep their order; None: any may overtake.
    """
    newest = {}
    arrivals = []
    for event in sorted(events):
        arrival = event.stamp_ns + int(rng.integers(0, delay_ns(event)))
        stream = in_order(event)
        if stream is not None:
            arrival = newest[stream] = max(arrival, newest.get(stream, 0))
        arrivals.append((arrival, event))
    return [event for _, event in sorted(arrivals, key=lambda pair: pair[0])]


def without(events, kind, begin_ms, end_ms, subject=''):
    """Return events without one stream during a time span."""
    start = min(event.stamp_ns for event in events)
    return [event for event in events if not (
        event.kind == kind and event.subject == subject
        and start + begin_ms * MS <= event.stamp_ns < start + end_ms * MS)]


def check_same(
    events, arrivals, run, bits, modalities=('camera', 'ftm', 'imu'), settings=SETTINGS,
):
    offline = run(Synchronizer(settings, modalities=modalities), sorted(events))
    live = Synchronizer(settings, modalities=modalities)
    batches = run(live, arrivals)
    assert live.counters['late'] == 0
    assert [bits(batch) for batch in batches] == [bits(batch) for batch in offline]
    return offline, live


@FEW
@given(seed=SEEDS)
def test_delayed_streams_give_identical_samples(
    seed, make_camera, make_phone, run, bits
):
    rng = np.random.default_rng(seed)
    events = make_camera(rng, 4.0, ('a', 'b', 'c'))
    events += make_phone(rng, 'a', 4.0) + make_phone(rng, 'b', 4.0, 50.0, loss=0.1)
    events += make_phone(rng, 'd', 4.0, 100.0, magnetic=False)
    events = without(events, 'inertial', 1500, 1600, 'b')
    started = min(event.stamp_ns for event in events) + 200 * MS

    def delay(event):  # ranges and new phones must not be later than the lag
        return LAG_NS if event.kind == 'ftm' or event.stamp_ns < started else SKEW_NS

    arrivals = arrive(rng, events, delay, lambda event: (event.kind, event.subject))
    offline, _ = check_same(events, arrivals, run, bits)
    assert len(offline) > 35
    assert arrivals != sorted(events)


@FEW
@given(seed=SEEDS)
def test_overtaking_messages_give_identical_samples(
    seed, make_camera, make_phone, run, bits
):
    rng = np.random.default_rng(seed)
    events = make_camera(rng, 3.0, ('a', 'c'))
    events += make_phone(rng, 'a', 3.0, 200.0) + make_phone(rng, 'b', 2.0, 200.0, begin_s=1.0)
    # at 200 Hz the message that follows an instant is less than 6 ms younger
    arrivals = arrive(rng, events, lambda event: LAG_NS - 6 * MS, lambda event: None)
    _, live = check_same(events, arrivals, run, bits)
    assert live.counters['reordered'] > 0


@FEW
@given(seed=SEEDS)
@pytest.mark.parametrize('modalities', [('ftm', 'imu'), ('camera', 'ftm', 'imu')])
def test_absent_phones_and_a_silent_camera_give_identical_samples(
    modalities, seed, make_camera, make_phone, run, bits
):
    rng = np.random.default_rng(seed)
    events = without(make_camera(rng, 6.0, ('a', 'c')), 'tracks', 1000, 3300)
    events += make_phone(rng, 'a', 6.0) + make_phone(rng, 'b', 2.0) + make_phone(
        rng, 'b', 1.5, begin_s=4.5)
    arrivals = arrive(
        rng, events, lambda event: LAG_NS, lambda event: (event.kind, event.subject))
    offline, _ = check_same(events, arrivals, run, bits, modalities)
    kinds = {batch.camera_tick for batch in offline}
    assert kinds == ({True, False} if 'camera' in modalities else {False})
    assert len(offline) > 50


EVERY = ('ftm', 'inertial', 'magnetic', 'tracks')


@pytest.mark.parametrize(('seed', 'jitter_ms', 'lag', 'max_wait'), [
    (1, 200, 0.2, 0.4), (2, 200, 0.25, 0.15), (3, 100, 0.12, 0.3)])
@pytest.mark.parametrize('kinds', [EVERY, ('tracks',), ('inertial',), EVERY[:3]])
@pytest.mark.parametrize('rate_hz', [0.0, 10.0, 30.0])
def test_reordering_up_to_a_long_lag_gives_identical_samples(
    rate_hz, kinds, seed, jitter_ms, lag, max_wait, make_camera, make_phone, run, bits
):
    rng = np.random.default_rng(seed)
    modalities = ('camera', 'ftm', 'imu') if rate_hz else ('ftm', 'imu')
    events = make_camera(rng, 3.0, ('a', 'c'), rate_hz) if rate_hz else []
    events += make_phone(rng, 'a', 3.0) + make_phone(rng, 'b', 2.0, 50.0, loss=0.1, begin_s=1.0)
    arrivals = arrive(
        rng, events, lambda event: jitter_ms * MS if event.kind in kinds else 1,
        lambda event: None)
    offline, live = check_same(
        events, arrivals, run, bits, modalities, SyncSettings(lag=lag, max_wait=max_wait))
    assert len(offline) >= 15
    if 'inertial' in kinds or rate_hz == 30.0:
        assert live.counters['reordered'] > 0
