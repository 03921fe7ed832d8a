"""Sources of what phones feel."""

from utt_ros.drivers.imu import hyper_imu, iio, sensor_logger, sensor_server, sensor_streamer
from utt_ros.drivers.source import Entry

SOURCES: dict[str, Entry] = {
    'hyper_imu': hyper_imu.ENTRY,
    'iio': iio.ENTRY,
    'sensor_logger': sensor_logger.ENTRY,
    'sensor_server': sensor_server.ENTRY,
    'sensor_streamer': sensor_streamer.ENTRY,
}
DEFAULT = 'sensor_logger'
