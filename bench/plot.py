"""A line chart as SVG: one line, a logarithmic x axis, readable in dark and light."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 40, 50
TICKS = 4

SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
font-family="sans-serif" font-size="13" fill="#777">
<title>{title}</title>
<text x="{left}" y="22" font-size="15">{title}</text>
{content}
</svg>
"""


def save(file: Path, title: str, x_name: str, points: Sequence[tuple[float, float]]) -> None:
    """Write the chart of points (x, y), all x above 0 and in ascending order."""
    x_min, x_max = points[0][0], points[-1][0]
    y_max = _round_up(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        share = math.log(x / x_min) / math.log(x_max / x_min)
        return (
            round(LEFT + share * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - y / y_max * (HEIGHT - TOP - BOTTOM), 1),
        )

    content = []
    for tick in range(TICKS + 1):
        y_value = y_max * tick / TICKS
        _, y = place(x_min, y_value)
        content += [
            f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#7774"/>',
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{y_value:,.0f}</text>',
        ]
    for x_value, _ in points:
        x, y = place(x_value, 0)
        content.append(f'<text x="{x}" y="{y + 20}" text-anchor="middle">{x_value:,g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    content.append(
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_name)}</text>'
    )
    places = [place(*point) for point in points]
    line = " ".join(f"{x},{y}" for x, y in places)
    content.append(f'<polyline points="{line}" fill="none" stroke="#2a7de1" stroke-width="2"/>')
    content += [f'<circle cx="{x}" cy="{y}" r="4" fill="#2a7de1"/>' for x, y in places]
    file.write_text(
        SVG.format(
            width=WIDTH, height=HEIGHT, left=LEFT, title=escape(title), content="\n".join(content)
        )
    )


def _round_up(value: float) -> float:
    step = 10.0 ** math.floor(math.log10(value))
    return math.ceil(value / step) * step
