from dataclasses import replace

import numpy as np
import pytest

from utt_ros.geometry.compass import compass_heading
from utt_ros.sessions.simulator.imu import inertial, turned_back
from utt_ros.sessions.simulator.magnetic_field import Field, field
from utt_ros.sessions.simulator.people import Person, person
from utt_ros.sessions.simulator.trajectories import RATE_HZ, Walk, walk
from utt_ros.types import GRAVITY_MPS2

YAW = 0.8  # magnetic_yaw


@pytest.fixture
def walker(rng: np.random.Generator) -> Person:
    """Somebody whose phone has no lasting errors and points ahead."""
    return replace(
        person(rng), tilts=np.zeros(3), accel_bias=np.zeros(3), gyro_bias=np.zeros(3),
        soft_iron=np.eye(3), hard_iron=np.zeros(3), imu_hz=100.0)


@pytest.fixture
def earth(rng: np.random.Generator) -> Field:
    return replace(field(rng, YAW), strengths_t=np.zeros((20, 3)))


def straight(speed_mps: float, heading_rad: float, seconds: float = 20.0) -> Walk:
    times = np.arange(round(seconds * RATE_HZ) + 1) / RATE_HZ
    direction = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    return Walk(times, speed_mps * times[:, None] * direction, np.full(len(times), heading_rad))


def test_a_phone_at_rest_feels_gravity_upwards_and_no_turn(
        rng: np.random.Generator, walker: Person, earth: Field) -> None:
    _, imu, _, _ = inertial(rng, walker, straight(0, 0.3), earth)
    assert imu[:, :3].mean(axis=0) == pytest.approx([0, 0, GRAVITY_MPS2], abs=0.3)
    assert np.linalg.norm(imu[:, :3], axis=1).std() < 0.05
    assert np.abs(imu[:, 3:]).max() < 0.15


@pytest.mark.parametrize('speed_mps', [0.9, 1.5])
def test_steps_come_at_the_cadence_of_the_speed(
        speed_mps: float, rng: np.random.Generator, walker: Person, earth: Field) -> None:
    times, imu, _, _ = inertial(rng, walker, straight(speed_mps, 0, 60.0), earth)
    norm = np.linalg.norm(imu[:, :3], axis=1)
    spectrum = np.abs(np.fft.rfft(norm - norm.mean(), 1 << 15))
    found = np.fft.rfftfreq(1 << 15, np.diff(times).mean())[spectrum.argmax()]
    assert found == pytest.approx(walker.cadence_hz * speed_mps**0.58, rel=0.05)


def test_faster_walking_bounces_more(
        rng: np.random.Generator, walker: Person, earth: Field) -> None:
    bounce = [inertial(rng, walker, straight(speed, 0), earth)[1][:, 2].std()
              for speed in (0.8, 1.1, 1.4)]
    assert bounce == sorted(bounce)
    assert 1 < bounce[0] < bounce[2] < 7


def test_turning_rate_about_the_vertical_adds_up_to_the_turns_of_the_walk(
        rng: np.random.Generator, walker: Person, earth: Field) -> None:
    for seed in range(5):
        walked = walk(np.random.default_rng(seed), 1.2, np.array([[16.0, 0.0]]), 40.0)
        times, imu, _, _ = inertial(rng, walker, walked, earth)
        up = imu[:, :3] / np.linalg.norm(imu[:, :3], axis=1)[:, None]
        smooth = np.stack([np.convolve(axis, np.ones(101) / 101, 'same') for axis in up.T], 1)
        smooth /= np.linalg.norm(smooth, axis=1)[:, None]
        turned = np.cumsum((imu[:, 3:] * smooth).sum(axis=1) * np.gradient(times))
        expected = walked.at(times).heading_rad
        error = (turned - turned[200]) - (expected - expected[200])
        assert np.abs(error[200:-200]).max() < np.deg2rad(20)


@pytest.mark.parametrize('heading_rad', [-2.5, 0.0, 1.0, 3.0])
def test_the_compass_of_a_straight_walk_shows_its_heading(
        heading_rad: float, rng: np.random.Generator, walker: Person, earth: Field) -> None:
    walked = straight(1.2, heading_rad)
    times, imu, mag_times, mag = inertial(rng, walker, walked, earth)
    rows = 5 + np.arange(150) / 50
    columns = [np.interp(rows, times, axis) for axis in imu.T]
    columns += [np.interp(rows, mag_times, axis) for axis in mag.T]
    window = np.stack(columns, axis=1)[None].astype(np.float32)
    found, valid = compass_heading(window, np.ones((1, 150), bool), 0.02, YAW)
    assert valid.all()
    assert abs(np.angle(np.exp(1j * (found[0] - heading_rad)))) < np.deg2rad(10)


def test_the_field_points_north_and_down(earth: Field) -> None:
    value = earth.at(np.zeros((1, 2)))[0]
    east, north = np.array([np.cos(-YAW), np.sin(-YAW)]), np.array([np.sin(YAW), np.cos(YAW)])
    assert value[:2] @ east == pytest.approx(0, abs=1e-12)
    assert value[:2] @ north == pytest.approx(24e-6, rel=0.01)
    assert value[2] == pytest.approx(-41.6e-6, rel=0.01)


def test_disturbances_belong_to_places(rng: np.random.Generator) -> None:
    disturbed = field(rng, 0.0)
    places = rng.uniform(-5, 15, (50, 2))
    assert np.array_equal(disturbed.at(places), disturbed.at(places))
    near = disturbed.at(places) - disturbed.at(places + 0.01)
    assert np.abs(near).max() < 0.2e-6
    assert 0.5e-6 < disturbed.at(places)[:, 0].std() < 10e-6


def test_turning_back_keeps_lengths_and_puts_the_heading_on_y() -> None:
    angles = np.array([[0.7, 0.0, 0.0], [0.7, 0.3, -0.2]])
    ahead = np.array([[np.cos(0.7), np.sin(0.7), 0.0]] * 2)
    turned = turned_back(angles, ahead)
    assert turned[0] == pytest.approx([0, 1, 0], abs=1e-12)
    assert np.linalg.norm(turned, axis=1) == pytest.approx([1, 1])
    up = turned_back(angles, np.array([[0.0, 0.0, 1.0]] * 2))
    assert up[0] == pytest.approx([0, 0, 1], abs=1e-12)
    assert up[1, 1] == pytest.approx(np.sin(0.3))  # pitched up: y rises


def test_samples_jitter_but_never_go_back(
        rng: np.random.Generator, walker: Person, earth: Field) -> None:
    times, _, mag_times, _ = inertial(rng, walker, straight(1.2, 0), earth)
    for stamps, rate in ((times, 100), (mag_times, 50)):
        steps = np.diff(stamps)
        assert steps.min() > 0.3 / rate
        assert steps.mean() == pytest.approx(1 / rate, rel=0.01)
        assert 0.0005 < steps.std() < 0.003
