import pytest

from utt_ros.drivers.imu.sensor_streamer import SensorStreamerSettings
from utt_ros.errors import SettingsError


def test_a_port_beyond_the_limit_is_refused() -> None:
    with pytest.raises(SettingsError, match='at most 65535'):
        SensorStreamerSettings(port=70_000)
