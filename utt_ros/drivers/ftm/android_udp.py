"""FTM source: Android phones, by UDP. See docs/sources/android_udp.md."""

from utt_ros.drivers.ftm.android import AndroidSettings, AndroidSource
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.transport.sockets import DatagramServer

ENTRY = SourceEntry('Android RangingResult as JSON lines over UDP', AndroidSettings,
                    lambda settings, _area: AndroidSource(settings, DatagramServer), lambda: '')
