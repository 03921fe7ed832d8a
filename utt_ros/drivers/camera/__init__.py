"""Sources of pictures, and of the people in them."""

from utt_ros.drivers.source import Entry

SOURCES: dict[str, Entry] = {}
