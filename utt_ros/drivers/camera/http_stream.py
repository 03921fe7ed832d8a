# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Opening of network streams by OpenCV, also of MJPEG whose parts have another type."""

import os
from time import monotonic

import cv2

from utt_ros.errors import SourceError

FFMPEG_OPTIONS = 'OPENCV_FFMPEG_CAPTURE_OPTIONS'  # OpenCV reads them from the environment only
JPEG_SEQUENCE = 'input_format;mjpeg'
FIRST_GRABS = 10  # OpenCV does not distinguish a corrupt image from the end


def open_stream(location: str, timeout_s: float) -> cv2.VideoCapture:
    """Open a stream; one by HTTP that answers without an image is read as a sequence of JPEGs.

    FFmpeg refuses parts of MJPEG whose type is not exactly `image/jpeg`: `image/jpg`, one with
    parameters, or none. Raises SourceError.
    """
    begin_s = monotonic()
    capture = _open_capture(location, timeout_s)
    is_http = location.lower().startswith(('http://', 'https://'))
    is_open = capture.isOpened() and (not is_http or _has_image(capture, timeout_s))
    if is_http and not is_open and monotonic() - begin_s < timeout_s:
        capture.release()
        former = os.environ.get(FFMPEG_OPTIONS)
        os.environ[FFMPEG_OPTIONS] = JPEG_SEQUENCE
        try:
            capture = _open_capture(location, timeout_s)
        finally:
            if former is None:
                del os.environ[FFMPEG_OPTIONS]
            else:
                os.environ[FFMPEG_OPTIONS] = former
    if not capture.isOpened():
        raise SourceError(
            f'{location} cannot be opened: does it play with `ffplay` on this machine?')
    return capture


def _open_capture(location: str, timeout_s: float) -> cv2.VideoCapture:
    timeout_ms = int(timeout_s * 1000)
    return cv2.VideoCapture(location, cv2.CAP_FFMPEG, [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms])


def _has_image(capture: cv2.VideoCapture, timeout_s: float) -> bool:
    """Grab an image, which is lost; false when none comes."""
    begin_s = monotonic()
    return any(capture.grab() for _ in range(FIRST_GRABS) if monotonic() - begin_s < timeout_s)
