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

import numpy as np
import pytest

from utt_ros.motion.gait_synthesis import GaitSynthesizer
from utt_ros.settings import WindowSettings

WINDOW = WindowSettings()
ROW_S = WINDOW.period / WINDOW.imu_rows
T0, PERIOD_NS = 1_700_000_000_000_000_000, 100_000_000


def strengths(*entries: tuple[int, int, float]) -> np.ndarray:
    """Return RMS (1, 6, 5), 0 except for entries (channel, part, value)."""
    rms = np.zeros((1, 6, 5), np.float32)
    for channel, part, value in entries:
        rms[0, channel, part] = value
    return rms


def run(synthesizer, ticks, rms, hz=2.0, first=0, names=('anna',)):
    """Return rows (S, ticks * C, 6) of consecutive ticks."""
    count = len(names)
    rows = [
        synthesizer.synthesize(
            T0 + tick * PERIOD_NS, names, np.full(count, hz, np.float32),
            np.repeat(rms, count, axis=0))
        for tick in range(first, first + ticks)]
    return np.concatenate(rows, axis=1)


def test_synthesized_imu_has_the_given_rms_and_cadence():
    rows = run(GaitSynthesizer(WINDOW), 100, strengths((2, 1, 3.0), (3, 0, 0.5)))[0]
    assert rows[:, 2].std() == pytest.approx(3.0, rel=0.01)
    assert rows[:, 3].std() == pytest.approx(0.5, rel=0.01)
    spectrum = np.abs(np.fft.rfft(rows, axis=0))
    frequency = np.fft.rfftfreq(len(rows), ROW_S)
    assert frequency[spectrum[:, 2].argmax()] == pytest.approx(2.0)
    assert frequency[spectrum[:, 3].argmax()] == pytest.approx(1.0)  # with each stride
    assert not rows[:, [0, 1, 4, 5]].any()


def test_harmonics_are_continuous_when_cadence_and_strength_change():
    synthesizer = GaitSynthesizer(WINDOW)
    rms = strengths((2, 1, 3.0))
    rows = np.concatenate([
        run(synthesizer, 10, rms), run(synthesizer, 10, rms, 1.5, 10),
        run(synthesizer, 10, 0.2 * rms, 1.5, 20), run(synthesizer, 10, rms, 2.5, 30)], 1)
    steepest = 3.0 * np.sqrt(2) * (2 * np.pi * 2.5 * ROW_S + 0.8 / WINDOW.imu_rows)
    assert np.abs(np.diff(rows[0, :, 2])).max() < steepest


def test_the_residual_is_autocorrelated_noise_of_the_given_rms():
    rows = run(GaitSynthesizer(WINDOW), 600, strengths((0, 4, 0.5)))[0, :, 0]
    assert rows.std() == pytest.approx(0.5, rel=0.1)
    assert np.corrcoef(rows[:-1], rows[1:])[0, 1] == pytest.approx(0.7, abs=0.05)


def test_subjects_start_at_different_phases():
    rms = strengths((2, 0, 1.0))
    anna, bert = run(GaitSynthesizer(WINDOW), 20, rms, names=('anna', 'bert'))[..., 2]
    assert np.abs(anna - bert).max() > 0.1


def test_equal_ticks_give_equal_rows_after_a_reset():
    synthesizer, rms = GaitSynthesizer(WINDOW), strengths((0, 4, 0.5), (2, 1, 3.0))
    first = run(synthesizer, 5, rms)
    again = run(synthesizer, 5, rms, first=5)
    synthesizer.reset()
    np.testing.assert_array_equal(run(synthesizer, 5, rms), first)
    np.testing.assert_array_equal(run(synthesizer, 5, rms, first=5), again)


def test_a_subject_does_not_depend_on_the_others():
    rms = strengths((0, 4, 0.5), (2, 1, 3.0))
    alone = run(GaitSynthesizer(WINDOW), 5, rms)
    beside = run(GaitSynthesizer(WINDOW), 5, rms, names=('bert', 'anna', 'carl'))
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-6)
    assert np.abs(beside[0, :, 0] - alone[0, :, 0]).max() > 0.1


def test_a_subject_that_was_absent_restarts():
    rms = strengths((2, 1, 3.0))
    synthesizer, fresh = GaitSynthesizer(WINDOW), GaitSynthesizer(WINDOW)
    run(synthesizer, 7, rms, 1.7)
    run(synthesizer, 1, rms, first=7, names=('bert',))
    np.testing.assert_allclose(
        run(synthesizer, 3, rms, first=8), run(fresh, 3, rms, first=8), atol=1e-5)
