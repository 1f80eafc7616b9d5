"""Pictures are what they say."""

from __future__ import annotations

import plotly.graph_objects as go


def complete(figure: go.Figure) -> go.Layout:
    """The layout of a figure, which must have a title, an alternative text that says something, and a height."""
    layout = figure.layout
    assert layout.title.text
    assert layout.meta["alt"]
    assert "nan" not in layout.meta["alt"]
    assert layout.height > 100
    return layout
