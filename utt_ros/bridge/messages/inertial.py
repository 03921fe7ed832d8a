"""What phones feel -> messages."""

from geometry_msgs.msg import Vector3
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.drivers.types import Inertial, Magnetic
from utt_ros.types import FloatArray


def inertial_to_message(sample: Inertial) -> Imu:
    """Without orientation, which REP-145 says by a covariance of -1; the frame is the phone."""
    message = Imu(
        header=Header(stamp=to_time(sample.stamp_ns), frame_id=sample.phone),
        linear_acceleration=_vector(sample.accel), angular_velocity=_vector(sample.gyro))
    message.orientation_covariance[0] = -1.0
    return message


def magnetic_to_message(sample: Magnetic) -> MagneticField:
    """In tesla; the frame is the phone."""
    return MagneticField(
        header=Header(stamp=to_time(sample.stamp_ns), frame_id=sample.phone),
        magnetic_field=_vector(sample.field))


def _vector(values: FloatArray) -> Vector3:
    x, y, z = values.tolist()
    return Vector3(x=x, y=y, z=z)
