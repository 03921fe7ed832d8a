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

"""Page of a browser window: that of viser, without antialiasing where WebGL is in software.

viser asks for an antialiased picture that is kept. In software that alone takes tens of
milliseconds of a core for each frame. A graphics card does it beside, and goes on doing so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import Any

import viser

HEAD = b'<head>'
LIGHT_WEBGL = b"""<script>{
    const getContext = HTMLCanvasElement.prototype.getContext;
    const gl = document.createElement('canvas').getContext('webgl2');
    const names = gl?.getExtension('WEBGL_debug_renderer_info');
    const renderer = names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : '';
    const isSoftware = /swiftshader|llvmpipe|softpipe|software/i.test(renderer);
    HTMLCanvasElement.prototype.getContext = function (kind, options) {
        return getContext.call(this, kind, isSoftware && kind.startsWith('webgl')
            ? {...options, antialias: false} : options);
    };
}</script>"""


class LightPage(PosixPath):
    """Folder of a page, or a file of it; the page begins with LIGHT_WEBGL."""

    def read_bytes(self) -> bytes:
        """Return the content."""
        return super().read_bytes().replace(HEAD, HEAD + LIGHT_WEBGL, 1)


@contextmanager
def light_page() -> Iterator[None]:
    """Let a server of viser that is made meanwhile serve the page so."""
    infra: Any = viser.infra
    make_server = infra.WebsockServer

    def make(*args: Any, http_server_root: Path, **options: Any) -> Any:
        return make_server(*args, http_server_root=LightPage(http_server_root), **options)

    infra.WebsockServer = make
    try:
        yield
    finally:
        infra.WebsockServer = make_server
