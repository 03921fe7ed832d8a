"""What the phones of the live demonstration send: the wire formats of real apps."""

import json

import numpy as np
from scipy.signal import lfilter

from utt_ros.types import NS_PER_MS, FloatArray, PhoneStreams, Stamps

Felt = dict[str, tuple[Stamps, FloatArray]]  # stamps (N,) [ns] and values (N, 3) by sensor

GRAVITY_SHARE = 0.02  # of a new reading in what a phone takes for gravity
MICRO = 1e6


def push(device: str, streams: Felt) -> bytes:
    """A body of Sensor Logger."""
    payload = [
        {'name': name, 'time': stamp, 'accuracy': 3, 'values': dict(zip('xyz', row, strict=True))}
        for name, (stamps, values) in streams.items()
        for stamp, row in zip(stamps.tolist(), values.round(6).tolist(), strict=True)]
    return json.dumps({'messageId': 1, 'sessionId': device, 'deviceId': device,
                       'payload': payload}).encode()


def results(
    device: str, ap: str, boot_ns: Stamps, ftm: FloatArray, signal_: FloatArray,
) -> list[bytes]:
    """Android's RangingResults (N), a datagram each; ranges and stds (N, 2), `signal_` (N, 3)."""
    millimetres, counts = np.rint(1000 * ftm).astype(int), np.rint(signal_).astype(int)
    rows = zip((boot_ns // NS_PER_MS).tolist(), millimetres.tolist(), counts.tolist(), strict=True)
    return [json.dumps({
        'deviceId': device, 'mac': ap, 'status': 0, 'distanceMm': distance,
        'distanceStdDevMm': std, 'rssi': rssi, 'numAttemptedMeasurements': attempted,
        'numSuccessfulMeasurements': successful, 'rangingTimestampMillis': stamp}).encode() + b'\n'
        for stamp, (distance, std), (rssi, attempted, successful) in rows]


def felt(streams: PhoneStreams) -> Felt:
    """What a phone feels, by Sensor Logger's names: gravity is apart, the field in microtesla."""
    stamps, accel = streams.inertial_stamps_ns, streams.inertial[:, :3].astype(np.float64)
    share = GRAVITY_SHARE
    gravity, _ = lfilter([share], [1, share - 1], accel, axis=0, zi=(1 - share) * accel[:1])
    return {
        'accelerometer': (stamps, (accel - gravity).astype(np.float32)),
        'gravity': (stamps, gravity.astype(np.float32)),
        'gyroscope': (stamps, streams.inertial[:, 3:]),
        'magnetometer': (streams.magnetic_stamps_ns, MICRO * streams.magnetic)}
