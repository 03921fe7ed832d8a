"""Camera sources: images, and the people in them."""

from utt_ros.drivers.camera import opencv, zed
from utt_ros.drivers.source import SourceEntry
from utt_ros.plugins import Registry

BUILT_IN: dict[str, SourceEntry] = {'opencv': opencv.ENTRY, 'zed': zed.ENTRY}
SOURCES: Registry[SourceEntry] = Registry('source', 'utt_ros.camera_sources', BUILT_IN)
DEFAULT = 'opencv'
