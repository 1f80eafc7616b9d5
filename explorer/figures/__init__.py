"""Pictures: arrays in, Plotly figures out."""
