"""Colors on a picture of the page: how many pixels have one, and where they are."""

import base64
import re
from typing import NamedTuple

from playwright.async_api import Page

from tests.programs import ROOT

#: Makes ``data`` and ``image`` of ``png``, in JavaScript.
DECODE = """\
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
"""
#: Counts the pixels of a picture that have a color, or nearly so.
COUNT_PIXELS = f"""\
async ([png, color]) => {{
{DECODE}
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {{
    if (color.every((value, channel) => Math.abs(data[at + channel] - value) < 8)) count++;
  }}
  return count;
}}
"""
#: The smallest box, in px of the chart's pane, that has all pixels of a color.
FIND_BOX = f"""\
async ([png, color, width]) => {{
{DECODE}
  const box = [Infinity, Infinity, -1, -1];
  for (let y = 0; y < image.height; y++) {{
    for (let x = 0; x < image.width - width; x++) {{
      const at = 4 * (y * image.width + x);
      if (color.some((value, channel) => Math.abs(data[at + channel] - value) > 8)) continue;
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }}
  }}
  return box[2] < 0 ? null : box;
}}
"""


class Box(NamedTuple):
    """Where something is on the chart, in px."""

    left: int
    top: int
    right: int
    bottom: int

    def is_near(self, other: "Box") -> bool:
        """Whether it is the same but for how a line is smoothed."""
        return all(abs(one - two) <= 2 for one, two in zip(self, other, strict=True))


def color(name: str) -> list[int]:
    """Return a color of the light style sheet."""
    style = (ROOT / "chart_app/web/page/styles/base.css").read_text()
    found = re.search(rf"--{name}: light-dark\(#(\w{{6}}),", style)
    assert found
    return list(bytes.fromhex(found[1]))


async def pixels(page: Page, name: str) -> int:
    """Count the pixels of the chart, as one sees it, in a color."""
    png = base64.b64encode(await page.locator("#chart").screenshot()).decode()
    count: int = await page.evaluate(COUNT_PIXELS, [png, color(name)])
    return count
