"""Reports: tables, files of results, and whether the bars are met."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypedDict

RESULTS = Path(__file__).parent / "results"


class Verdict(TypedDict):
    """Whether a figure meets its bar."""

    what: str
    reached: float
    bar: str
    met: bool


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; the first column is text, the others are figures."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(line(cells) for cells in [header, rule, *rows])


def spread(rates: Sequence[float]) -> str:
    """Return the range of some rates as text."""
    return f"{min(rates):,.0f} to {max(rates):,.0f}"


def of_rounds(values: Sequence[float], digits: int | None = None) -> dict[str, Any]:
    """Return the median and the values of all rounds, rounded to ``digits`` decimals."""
    return {
        "median": round(median(values), digits),
        "rounds": [round(value, digits) for value in values],
    }


def at_least(what: str, reached: float, bar: float) -> Verdict:
    """Return the verdict on a figure that should be at least ``bar``."""
    return {"what": what, "reached": round(reached, 2), "bar": f"≥ {bar:,g}", "met": reached >= bar}


def at_most(what: str, reached: float, bar: float) -> Verdict:
    """Return the verdict on a figure that should be at most ``bar``."""
    return {"what": what, "reached": round(reached, 2), "bar": f"≤ {bar:,g}", "met": reached <= bar}


def save(name: str, results: Mapping[str, Any]) -> Path:
    """Write the results to ``bench/results``; return the file."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return file


def print_verdicts(verdicts: Sequence[Verdict], file: Path) -> bool:
    """Print whether each bar is met; return whether all are."""
    rows = [
        [it["what"], f"{it['reached']:,g}", it["bar"], "met" if it["met"] else "MISSED"]
        for it in verdicts
    ]
    print(f"{table(['', 'reached', 'bar', ''], rows)}\n\nWritten to {file}")
    return all(it["met"] for it in verdicts)


def merge() -> bool:
    """Merge all results into one file and print all bars; return whether all are met."""
    parts = {file.stem: json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))}
    file = RESULTS.with_suffix(".json")
    file.write_text(json.dumps(parts, indent=2, ensure_ascii=False) + "\n")
    verdicts = [verdict for part in parts.values() for verdict in part.get("bars", ())]
    return print_verdicts(verdicts, file)


def percentiles(values: Sequence[float], percents: Sequence[int]) -> dict[int, float]:
    """Return the percentiles of some values, by percent."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {percent: cuts[percent - 1] for percent in percents}
