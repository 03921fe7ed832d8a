"""FTM sources: Wi-Fi fine time measurements of phones, boards and cards."""

from utt_ros.drivers.ftm import android_http, android_udp, esp_idf, gtec, iw
from utt_ros.drivers.source import SourceEntry
from utt_ros.plugins import Registry

SOURCES: Registry[SourceEntry] = Registry('source', 'utt_ros.ftm_sources', {
    'android_udp': android_udp.ENTRY,
    'android_http': android_http.ENTRY,
    'esp_idf': esp_idf.ENTRY,
    'gtec': gtec.ENTRY,
    'iw': iw.ENTRY,
})
DEFAULT = 'android_udp'
