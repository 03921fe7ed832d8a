"""FTM source: ESP32-S2 boards with GTEC's tag reader. See docs/sources/gtec.md."""

from utt_ros.drivers.ftm.boards import BoardSettings, BoardSource, missing_ports
from utt_ros.drivers.ftm.serial_format import parse_gtec
from utt_ros.drivers.source import SourceEntry

ENTRY = SourceEntry("ESP32-S2 with GTEC's tag reader, serial", BoardSettings,
                    lambda settings, _area: BoardSource(settings, parse_gtec), missing_ports)
