"""``python -m tests.benchmarks NAME``: measure, print one table, exit 1 if a bar was missed."""

from __future__ import annotations

import argparse
import json
import math
import pkgutil
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.benchmarks.base import Bar

HERE = Path(__file__).parent


def names() -> list[str]:
    """The benchmarks: every module of this folder but ``base`` and those whose names begin with an underscore."""
    found = [module.name for module in pkgutil.iter_modules([str(HERE)])]
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark, or list them all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"one of: {', '.join(names())}; none lists them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as well")
    parser.add_argument("--repeats", type=int, default=5, help="how often each timing is taken (default: 5)")
    options = parser.parse_args(arguments)
    if options.name is None:
        for name in names():
            about = import_module(f"tests.benchmarks.{name}").__doc__ or ""
            print(f"{name:<12} {about.strip().splitlines()[0]}")
        return 0
    if options.name not in names():
        parser.error(f"there is no benchmark {options.name!r}; choose one of: {', '.join(names())}")
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}; it should be at least 1")
    bars = import_module(f"tests.benchmarks.{options.name}").measure(options.repeats)
    print(table(bars))
    if options.json:
        rows = [asdict(bar) | {"measured": bar.measured if math.isfinite(bar.measured) else None} for bar in bars]
        options.json.write_text(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    missed = [bar.what for bar in bars if not bar.held]
    if missed:
        print(f"missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def table(bars: list[Bar]) -> str:
    """The bars as aligned columns: what, bar, measured, held."""
    rows = [("what", "bar", "measured", "held")]
    for bar in bars:
        measured = f"{bar.measured:.4g}" + (f" ({bar.note})" if bar.note else "")
        rows.append((bar.what, bar.bar, measured, "yes" if bar.held else "NO"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
