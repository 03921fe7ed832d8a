"""IMU sources of phones."""

from utt_ros.drivers.imu import hyper_imu, iio, sensor_logger, sensor_server, sensor_streamer
from utt_ros.drivers.source import SourceEntry
from utt_ros.plugins import Registry

SOURCES: Registry[SourceEntry] = Registry('source', 'utt_ros.imu_sources', {
    'hyper_imu': hyper_imu.ENTRY,
    'iio': iio.ENTRY,
    'sensor_logger': sensor_logger.ENTRY,
    'sensor_server': sensor_server.ENTRY,
    'sensor_streamer': sensor_streamer.ENTRY,
})
DEFAULT = 'sensor_logger'
