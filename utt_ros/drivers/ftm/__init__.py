"""Sources of Wi-Fi fine time measurements."""

from utt_ros.drivers.source import Entry

SOURCES: dict[str, Entry] = {}
