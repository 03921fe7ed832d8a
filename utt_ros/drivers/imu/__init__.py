"""Sources of what phones feel."""

from utt_ros.drivers.source import Entry

SOURCES: dict[str, Entry] = {}
