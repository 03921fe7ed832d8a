"""Sources of pictures, and of the people in them."""

from utt_ros.drivers.camera import opencv, zed
from utt_ros.drivers.source import Entry

SOURCES: dict[str, Entry] = {'opencv': opencv.ENTRY, 'zed': zed.ENTRY}
DEFAULT = 'opencv'
