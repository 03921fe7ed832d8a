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

"""Synchronizer: aligns the streams of one area into one sample per subject and tick.

See docs/synchronizer.md.
"""

from collections.abc import Sequence

import numpy as np

from utt_ros import sensor_limits as limits
from utt_ros.settings import WindowSettings
from utt_ros.sync.access_points import AccessPointSelector
from utt_ros.sync.area_clock import CAMERA_SOURCE, AreaClock, StampVerdict
from utt_ros.sync.association_types import (
    NO_FRAME,
    Associator,
    LabelAssociator,
    Match,
    PhoneSamples,
    Tracks,
    attach_boxes,
)
from utt_ros.sync.frame_checks import check_frame_shape, drop_invalid_boxes
from utt_ros.sync.phone_buffers import PhoneBuffers, Span, select_subjects
from utt_ros.sync.ring_buffers import Insertion, RingBuffers
from utt_ros.sync.sample_checks import inertial_offence, magnetic_offence, range_offence
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.tick_scheduler import TickScheduler
from utt_ros.types import MODALITIES, NEVER_NS, FloatArray, SyncedBatch

COUNTERS = (
    'ticks', 'late', 'duplicate', 'reordered', 'not_finite', 'out_of_range', 'bad_name',
    'clock_off', 'clock_jumps', 'overflow', 'too_many_subjects', 'released_by_max_wait',
    'unknown_ap', 'surplus_frames', 'boxes_without_subject', 'boxes_without_depth',
)
PHONE_TIMEOUT_FACTOR = 10  # times subject_timeout


class Synchronizer:
    """Aligns camera and phone streams of one area on measurement stamps.

    Takes messages in any order and returns complete ticks. Bad input is counted in `counters`,
    with the last offence of each kind in `remarks`, and does not raise; only arrays of a wrong
    shape do. Time is derived from stamps alone; no clock is read.
    """

    def __init__(
        self,
        settings: SyncSettings | None = None,
        windows: WindowSettings | None = None,
        modalities: Sequence[str] = MODALITIES,
        associator: Associator | None = None,
        *,
        access_points: Sequence[str] = (),
    ) -> None:
        """`access_points`: addresses, the first one's first; empty: one of unknown address."""
        settings, windows = settings or SyncSettings(), windows or WindowSettings()
        self._has_camera = 'camera' in modalities
        self._associator = associator or LabelAssociator()
        self._period_ns = _ns(windows.period)
        self._lag_ns = _ns(settings.lag)
        self._wait_ns = _ns(settings.max_wait)
        self._timeout_ns = _ns(settings.subject_timeout)
        self._camera_timeout_ns = _ns(settings.camera_timeout) if self._has_camera else None
        self._max_subjects = settings.max_subjects
        steps = np.arange(windows.imu_rows - 1, -1, -1, dtype=np.int64)
        self._offsets_ns = -self._lag_ns - steps * self._period_ns // windows.imu_rows  # (C,)
        self._access_points = AccessPointSelector(access_points)
        self._clock = AreaClock(_ns(settings.clock_tolerance))
        self._phones = PhoneBuffers(
            settings.capacity, self._max_subjects, _ns(settings.max_gap),
            max(len(access_points), 1))
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.remarks: dict[str, str] = {}
        self.epoch = -1
        self._begin_epoch()

    @property
    def now_ns(self) -> int | None:
        """Newest stamp on which the streams agree."""
        return self._clock.now_ns

    @property
    def phones(self) -> tuple[str, ...]:
        """Sorted names of the phones that deliver or recently did."""
        return tuple(sorted(self._phones.slots))

    def add_inertial(self, subject: str, stamp_ns: int, values: Sequence[float]) -> None:
        """Add accel [m/s^2] and gyro [rad/s] of a phone, (6,), phone frame."""
        if offence := inertial_offence(subject, values):
            self._refuse(*offence)
        else:
            self._add(self._phones.inertial, subject, stamp_ns, values)

    def add_magnetic(self, subject: str, stamp_ns: int, values: Sequence[float]) -> None:
        """Add the magnetic field [T] at a phone, (3,), phone frame."""
        if offence := magnetic_offence(subject, values):
            self._refuse(*offence)
        else:
            self._add(self._phones.magnetic, subject, stamp_ns, values)

    def add_ftm(
        self, subject: str, stamp_ns: int, range_m: float, std_m: float, ap: str = '',
    ) -> None:
        """Add the range between a phone and an access point and its standard deviation [m].

        One of an access point that the area does not have is counted and leaves no other trace.
        """
        if (number := self._access_points.select(ap)) is None:
            self.count('unknown_ap', self._access_points.explain())
            return
        if offence := range_offence(subject, range_m, std_m):
            self._refuse(*offence)
        else:
            self._add(self._phones.ftm[number], subject, stamp_ns, (range_m, std_m))

    def add_tracks(
        self,
        stamp_ns: int,
        boxes: FloatArray,
        subjects: Sequence[str],
        track_ids: Sequence[str],
        confidence: FloatArray,
    ) -> None:
        """Add a camera frame: boxes (N, 5) with labels of subjects (empty when unknown).

        Raises MeasurementError when the arrays do not have N rows.
        """
        check_frame_shape(boxes, subjects, track_ids, confidence)
        if not self._has_camera:
            return
        if len(boxes) > limits.MAX_FRAME_BOXES:
            self.count(
                'out_of_range', f'{len(boxes)} boxes in a frame: at most {limits.MAX_FRAME_BOXES}')
        elif self._agrees(CAMERA_SOURCE, stamp_ns):
            frame = Tracks(stamp_ns, boxes, tuple(subjects), tuple(track_ids), confidence)
            counter = self._ticks.add_frame(drop_invalid_boxes(frame, self.count))
            if counter:
                self.count(counter, f'camera frame {(self.now_ns or 0) - stamp_ns} ns old')

    def restart(self) -> None:
        """Begin a new epoch at the time of the next messages, as after a pause."""
        self._clock.restart()
        self._begin_epoch()

    def count(self, name: str, remark: str) -> None:
        """Count an offence and keep the remark on the last one."""
        self.counters[name] = self.counters.get(name, 0) + 1
        self.remarks[name] = remark

    def poll(self) -> list[SyncedBatch]:
        """Return the ticks that became complete since the last call, in order."""
        batches: list[SyncedBatch] = []
        now_ns = self._clock.now_ns
        while now_ns is not None and (tick := self._ticks.next(now_ns)) is not None:
            stamp_ns, is_frame = tick
            span = (stamp_ns - self._lag_ns - self._timeout_ns, stamp_ns - self._lag_ns)
            is_behind = self._phones.is_behind((span[1] - self._wait_ns, span[1]))
            if is_behind and now_ns < stamp_ns + self._wait_ns:
                break
            frame = self._ticks.take_frame() if is_frame else None
            if is_frame and frame is None:
                self.counters['surplus_frames'] += 1
            elif frame is None and not self._has_subjects(span):
                following_ns = self._phones.following(span[1]) + self._lag_ns
                self._ticks.skip(min(following_ns, now_ns))
            else:
                if frame is None:
                    self._ticks.take_virtual()
                self.counters['released_by_max_wait'] += is_behind
                batches.append(self._sample(stamp_ns, span, frame))
        return batches

    def _add(
        self, ring: RingBuffers, subject: str, stamp_ns: int, values: Sequence[float],
    ) -> None:
        slot = self._phones.slots.get(subject)
        if slot is None and (slot := self._add_phone(subject)) is None:
            return
        if not self._agrees(subject, stamp_ns):
            return
        added = ring.add(slot, stamp_ns, values)
        if added is Insertion.DUPLICATE:
            self.counters['duplicate'] += 1
        elif added is Insertion.TOO_OLD or stamp_ns <= self._sampled_ns:
            self.count('late', f'{subject!r}: {self._sampled_ns - stamp_ns} ns too late')
        elif added is Insertion.REORDERED:
            self.counters['reordered'] += 1

    def _add_phone(self, subject: str) -> int | None:
        if not limits.is_name(subject):
            name = subject[:limits.MAX_SUBJECT_NAME_LENGTH]
            self.count('bad_name', f'{name!r} cannot be in a topic name')
            return None
        slot = self._phones.add_phone(subject)
        if slot is None:
            self.count('too_many_subjects', f'{subject!r} is one more than {self._max_subjects}')
        else:
            self._alive_ns[subject] = self.now_ns or NEVER_NS
        return slot

    def _agrees(self, source: str, stamp_ns: int) -> bool:
        """Return whether a stamp agrees with the area clock, which it may also move."""
        if not limits.STAMP_LIMITS_NS[0] <= stamp_ns <= limits.STAMP_LIMITS_NS[1]:
            self.count('out_of_range', f'stamp {stamp_ns} ns of {source or "the camera"}')
            return False
        before_ns = self.now_ns or stamp_ns
        verdict = self._clock.judge(source, stamp_ns)
        if verdict is not StampVerdict.AGREES:
            remark = f'{source or "camera"}: {(stamp_ns - before_ns) / 1e9:+.3f} s from the others'
            if verdict is StampVerdict.OFF:
                self._alive_ns[source] = before_ns
                self.count('clock_off', remark)
                return False
            self.count('clock_jumps', remark)
            if verdict is StampVerdict.BACK:
                self._begin_epoch()
        self._ticks.start(stamp_ns)
        return True

    def _refuse(self, value: float, remark: str) -> None:
        self.count('out_of_range' if abs(value) < float('inf') else 'not_finite', remark)

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self._sequence = 0
        self._sampled_ns = NEVER_NS  # newest sampled instant
        self._ticks = TickScheduler(self._period_ns, self._lag_ns, self._camera_timeout_ns)
        self._seen_ns: dict[str, int] = {}  # subject -> newest tick with a box
        self._alive_ns: dict[str, int] = {}  # phone -> area time at its entry or rejection
        self._phones.clear()

    def _has_subjects(self, span: Span) -> bool:
        was_seen = any(seen_ns > span[0] for seen_ns in self._seen_ns.values())
        return was_seen or bool(self._phones.present(span))

    def _sample(self, stamp_ns: int, span: Span, frame: Tracks | None) -> SyncedBatch:
        self._remove_absent(span[0])
        names = self._phones.present(span)
        phones = self._phones.sample(names, span, stamp_ns, stamp_ns + self._offsets_ns)
        matches = self._associate(frame, phones) if frame else ()
        subjects = tuple(sorted({*names, *self._seen_ns}))
        phones = select_subjects(phones, subjects)
        further_ftm, further_ftm_age_s, further_ftm_mask = self._phones.sample_further_ranges(
            names, subjects, span, stamp_ns)
        track_ids, association, camera, camera_mask = attach_boxes(
            frame or NO_FRAME, matches, subjects)
        self._sampled_ns = span[1]
        self.counters['overflow'] += self._phones.mark_sampled(span[1])
        self._sequence += 1
        self.counters['ticks'] += 1
        return SyncedBatch(
            stamp_ns=stamp_ns, epoch=self.epoch, sequence=self._sequence - 1,
            camera_tick=frame is not None, subjects=subjects, track_ids=track_ids,
            association=association, camera=camera, camera_mask=camera_mask, ftm=phones.ftm,
            ftm_age_s=phones.ftm_age_s, ftm_mask=phones.ftm_mask, imu=phones.imu,
            imu_mask=phones.imu_mask, further_ftm=further_ftm,
            further_ftm_age_s=further_ftm_age_s, further_ftm_mask=further_ftm_mask)

    def _associate(self, frame: Tracks, phones: PhoneSamples) -> list[Match]:
        """Associate the boxes of a frame and refuse subjects beyond the maximum."""
        matches = []
        for match in self._associator.associate(frame, phones):
            if match.subject not in self._seen_ns and len(self._seen_ns) == self._max_subjects:
                self.count('too_many_subjects', f'{match.subject!r} in the camera image')
                continue
            self._seen_ns[match.subject] = frame.stamp_ns
            self.counters['boxes_without_depth'] += not np.isfinite(frame.boxes[match.box, 2])
            matches.append(match)
        return matches

    def _remove_absent(self, begin_ns: int) -> None:
        """Remove absent subjects; phones keep their slot longer, since they often return."""
        self._seen_ns = {name: ns for name, ns in self._seen_ns.items() if ns > begin_ns}
        removed_ns = begin_ns - (PHONE_TIMEOUT_FACTOR - 1) * self._timeout_ns
        for name in tuple(self._phones.slots):
            if max(self._phones.newest(name), self._alive_ns.get(name, NEVER_NS)) <= removed_ns:
                self._phones.remove_phone(name)
                self._clock.forget(name)
                self._alive_ns.pop(name, None)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
