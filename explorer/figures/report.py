"""One explained example as a page of its own: one HTML file that asks nothing of any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#1d2733;background:#fff;max-width:1040px;margin:24px auto;"
    "padding:0 16px}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.8em}svg{max-width:100%;height:auto}"
    "img{width:160px;margin-top:8px;image-rendering:pixelated}"
    "table{border-collapse:collapse}td,th{padding:2px 12px 2px 0;text-align:left;vertical-align:top}"
    ".all{display:flex;flex-wrap:wrap;gap:20px}.one{flex:1 1 440px;max-width:500px}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f7fa;padding:10px;font-size:12px}"
    "p{margin:.3em 0}.said{color:#5c6b7a}.wide{overflow-x:auto}"
    ".first{border-left:4px solid #D55E00;background:#fdf1e8;padding:6px 10px}"
)
_SAFE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the page may load: nothing but what it holds."""


@dataclass(frozen=True)
class Told:
    """What one method says.

    Attributes:
        title: Of the method.
        picture: SVG; empty where there is nothing to see.
        lines: How to read it, its completeness error, its parameters; one paragraph each.
    """

    title: str
    picture: str
    lines: tuple[str, ...]


Checked = tuple[str, str, Sequence[tuple[str, ...]]]
"""Of a method its title, what is known of its checks in a few words, and a row for each of them: as in `CHECKED`."""
CHECKED = ("check", "verdict", "score", "better", "control", "source")


def report(
    title: str,
    warnings: Sequence[str],
    facts: Sequence[tuple[str, str]],
    picture: str,
    answers: Sequence[tuple[str, str]],
    told: Sequence[Told],
    trust: Sequence[Checked],
    over: str,
    made: Sequence[tuple[str, str]],
    model: str,
) -> str:
    """The page.

    Args:
        title: What is explained.
        warnings: What is said first: that the model is poor, or its answer wrong.
        facts: What it is of: names and values.
        picture: Of the input, as a data URL; empty for none.
        answers: What the model answers: classes and probabilities, say.
        told: What each method says, side by side.
        trust: How far each of them can be trusted.
        over: Over what that was checked; empty if it was not.
        made: How all this was made: names and values.
        model: The model's specification, as text.
    """
    image = f'<img src="{escape(picture)}" alt="The input">' if picture else ""
    methods = "".join(
        f'<div class="one"><h3>{escape(one.title)}</h3>{one.picture}'
        + "".join(f'<p class="said">{escape(line)}</p>' for line in one.lines)
        + "</div>"
        for one in told
    )
    doubts = "".join(f'<p class="first">{escape(line)}</p>' for line in warnings)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{doubts}{_table(facts)}{image}<h2>The answer</h2>{_table(answers)}"
        f'<h2>What the methods say</h2><p class="said">An attribution tells what moved this model\'s score. It does '
        "not tell that the model is right, nor that the world works that way. Each picture has a scale of its own: "
        f'methods measure different things.</p><div class="all">{methods}</div>'
        f'<h2>How far to trust it</h2><p class="said">{escape(over)}</p>{"".join(map(_checked, trust))}'
        f"<h2>How this was made</h2>{_table(made)}<h2>The model</h2><pre>{escape(model)}</pre></body></html>"
    )


def _checked(one: Checked) -> str:
    title, said, rows = one
    head = f"<h3>{escape(title)}</h3><p>{escape(said)}</p>"
    if not rows:
        return head
    lines = [f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in CHECKED)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f'{head}<div class="wide"><table>{"".join(lines)}</table></div>'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"
