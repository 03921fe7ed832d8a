"""Sources of Wi-Fi fine time measurements."""

from utt_ros.drivers.ftm import android, boards, iw
from utt_ros.drivers.source import Entry
from utt_ros.drivers.transport.http import HttpServer
from utt_ros.drivers.transport.sockets import DatagramServer

SOURCES: dict[str, Entry] = {
    'android_udp': Entry(
        'Android RangingResult as JSON lines over UDP', android.AndroidSettings,
        lambda settings, _: android.Android(settings, DatagramServer), android.lacking),
    'android_http': Entry(
        'Android RangingResult as JSON lines by HTTP POST', android.AndroidSettings,
        lambda settings, _: android.Android(settings, HttpServer), android.lacking),
    'esp_idf': Entry(
        "ESP32 with ESP-IDF's ftm example, serial", boards.ConsoleSettings,
        lambda settings, _: boards.esp_idf(settings), boards.lacking),
    'gtec': Entry(
        "ESP32-S2 with GTEC's tag reader, serial", boards.BoardSettings,
        lambda settings, _: boards.gtec(settings), boards.lacking),
    'iw': Entry(
        'Wi-Fi card of this machine, through iw', iw.IwSettings,
        lambda settings, _: iw.IwSource(settings), iw.lacking),
}
DEFAULT = 'android_udp'
