"""Small PNGs for the documentation: a screenshot in 256 of its colours takes a third of the room.

First the commonest of each hue, so that a red word on a large white page stays red; then the commonest of the others.
"""

import base64
import struct
import zlib
from collections.abc import Callable

from playwright.sync_api import Browser

KeepPicture = Callable[[str, bytes], None]
MOST_COLOURS = 256
_TO_INDICES = """async ([data, most]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const split = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([pixel]) => pixel);
  const hues = new Map();
  for (const pixel of sorted) {
    const hue = split(pixel).map((value) => value >> 5).join();
    if (!hues.has(hue)) hues.set(hue, pixel);
  }
  const palette = [...new Set([...hues.values(), ...sorted])].slice(0, most).map(split);
  const nearest = (pixel) => {
    const at = split(pixel);
    const far = palette.map((colour) => colour.reduce((sum, value, place) => sum + (value - at[place]) ** 2, 0));
    return far.indexOf(Math.min(...far));
  };
  const known = new Map([...counts.keys()].map((pixel) => [pixel, nearest(pixel)]));
  let indices = "";
  for (let from = 0; from < pixels.length; from += 8192) {
    indices += String.fromCharCode(...Array.from(pixels.subarray(from, from + 8192), (pixel) => known.get(pixel)));
  }
  return { width, height, palette: palette.flat(), indices: btoa(indices) };
}"""


def shrink(browser: Browser, picture: bytes) -> bytes:
    """Return the PNG with a palette of its commonest colours. The browser itself does the counting."""
    page = browser.new_page()
    found = page.evaluate(_TO_INDICES, [base64.b64encode(picture).decode(), MOST_COLOURS])
    page.close()
    indices, width = base64.b64decode(found["indices"]), found["width"]
    lines = b"".join(b"\0" + indices[at : at + width] for at in range(0, len(indices), width))
    header = struct.pack(">IIBBBBB", width, found["height"], 8, 3, 0, 0, 0)
    chunks = {
        b"IHDR": header,
        b"PLTE": bytes(found["palette"]),
        b"IDAT": zlib.compress(lines, 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks.items())


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
