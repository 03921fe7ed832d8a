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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import replay_session, synchronize
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.types import Frames, PhoneStreams, Session


def session_of(events):
    """Return the events as a recorded session."""
    frames = sorted(event for event in events if event.kind == 'tracks')
    counts = [len(event.values[1]) for event in frames]
    seen = tuple(name for event in frames for name in event.values[1])
    phones = {}
    for name in sorted({event.subject for event in events} - {''}):
        parts = []
        for kind in ('ftm', 'inertial', 'magnetic'):
            stream = sorted(e for e in events if (e.kind, e.subject) == (kind, name))
            parts += [np.array([event.stamp_ns for event in stream], np.int64),
                      np.array([event.values for event in stream], np.float32)]
        phones[name] = PhoneStreams(*parts)
    return Session(
        area='hall', name='one', split='', truth={}, phones=phones, frames=Frames(
            stamps_ns=np.array([event.stamp_ns for event in frames]),
            starts=np.cumsum([0, *counts]), boxes=np.concatenate([e.values[0] for e in frames]),
            subjects=seen, track_ids=tuple(f't{name}' for name in seen)))


def test_ranges_of_another_access_point_leave_no_trace_but_their_count(
        make_camera, make_phone, bits):
    rng = np.random.default_rng(4)
    events = make_camera(rng, 3, ('a', 'b')) + make_phone(rng, 'a', 3) + make_phone(rng, 'b', 3)
    session = session_of(events)
    alone = [bits(batch) for batch in synchronize(session)]
    assert alone
    phones, none = {}, np.zeros(0, np.int64)
    for name, phone in session.phones.items():
        stamps = np.concatenate([phone.ftm_stamps_ns, phone.ftm_stamps_ns + 40_000_000])
        order = np.argsort(stamps)
        aps = np.array(['own'] * len(phone.ftm) + ['other'] * len(phone.ftm))[order]
        phones[name] = replace(
            phone, ftm_stamps_ns=stamps[order], ap='own', ftm_aps=tuple(aps.tolist()),
            ftm=np.concatenate([phone.ftm, phone.ftm + 9])[order])
    phones['c'] = replace(  # in range of the other alone
        phones['a'], ap='other', ftm_aps=None, inertial_stamps_ns=none, magnetic_stamps_ns=none)
    synchronizer = Synchronizer()
    found = list(replay_session(synchronizer, replace(session, phones=phones)))
    assert [bits(batch) for batch in found] == alone
    assert synchronizer.counters['unknown_ap'] == sum(
        ap == 'other' for phone in phones.values() for ap in phone.range_aps)
    assert "'other' are refused" in synchronizer.remarks['unknown_ap']


@pytest.mark.parametrize('modalities', [('camera', 'ftm', 'imu'), ('ftm', 'imu'), ('camera',)])
def test_a_recorded_session_gives_the_samples_of_its_messages(
    modalities, make_camera, make_phone, run, bits, rng
):
    events = make_camera(rng, 3.0, ('a', 'c')) + make_phone(rng, 'a', 3.0) + make_phone(
        rng, 'b', 3.0)
    kinds = {'camera': ('tracks',), 'ftm': ('ftm',), 'imu': ('inertial', 'magnetic')}
    wanted = [kind for name in modalities for kind in kinds[name]]
    live = run(Synchronizer(modalities=modalities), sorted(
        event for event in events if event.kind in wanted))
    offline = list(synchronize(session_of(events), modalities=modalities))
    assert len(live) > 20
    assert [bits(batch) for batch in offline] == [bits(batch) for batch in live]


def test_an_empty_session_has_no_ticks():
    empty = Session(area='hall', name='none', split='', frames=None, phones={}, truth={})
    assert list(synchronize(empty)) == []


def test_window_settings_determine_rows_and_period(make_camera, make_phone, rng):
    session = session_of(make_camera(rng, 2.0, ('a',)) + make_phone(rng, 'a', 2.0))
    batches = list(synchronize(
        session, modalities=('imu',), windows=WindowSettings(period=0.2, imu_rows=3)))
    assert {batch.imu.shape[1] for batch in batches} == {3}
    assert set(np.diff([batch.stamp_ns for batch in batches])) == {200_000_000}
