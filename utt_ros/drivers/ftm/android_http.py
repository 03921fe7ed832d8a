"""FTM source: Android phones, by HTTP POST. See docs/sources/android_http.md."""

from utt_ros.drivers.ftm.android import AndroidSettings, AndroidSource
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.transport.http import HttpServer

ENTRY = SourceEntry('Android RangingResult as JSON lines by HTTP POST', AndroidSettings,
                    lambda settings, _area: AndroidSource(settings, HttpServer), lambda: '')
