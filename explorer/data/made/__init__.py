"""Examples that people make: drawn, uploaded, typed, set by hand. Each is a short code, which a link can hold."""

from explorer.data.made.codes import CODE, Example, OtherData
from explorer.data.made.inputs import example_of

__all__ = ["CODE", "Example", "OtherData", "example_of"]
