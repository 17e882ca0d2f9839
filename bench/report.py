"""The table that is printed, the file that is kept, and whether the bars are met."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"


class Bar(NamedTuple):
    """We are to reach at least ``times`` the figure of ``peer``."""

    peer: str
    times: float


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; the first column is text, the others are figures."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(line(cells) for cells in [header, rule, *rows])


def judge(ours: str, rates: Mapping[str, float], bars: Sequence[Bar]) -> list[dict[str, Any]]:
    """Return for each bar how often ``ours`` has the peer's rate, and whether that suffices."""
    verdicts = []
    for bar in bars:
        times = rates[ours] / rates[bar.peer]
        verdicts.append(
            {**bar._asdict(), "reached": round(times, 2), "met": bool(times >= bar.times)}
        )
    return verdicts


def save(name: str, results: Mapping[str, Any]) -> Path:
    """Write the results to ``bench/results``; return the file."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return file


def print_verdicts(ours: str, verdicts: Sequence[Mapping[str, Any]], file: Path) -> bool:
    """Print whether each bar is met; return whether all are."""
    for verdict in verdicts:
        met = "met" if verdict["met"] else "MISSED"
        print(
            f"{ours}: {verdict['reached']:g} times {verdict['peer']}; "
            f"the bar of {verdict['times']:g} is {met}"
        )
    print(f"Written to {file}")
    return all(verdict["met"] for verdict in verdicts)


def percentiles(values: Sequence[float], percents: Sequence[int]) -> dict[int, float]:
    """Return percentiles of measured values."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {percent: cuts[percent - 1] for percent in percents}
