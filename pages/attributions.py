"""Attributions: which parts of an input spoke for an answer."""

from explorer.views import example, page, picking, reasons, state, view

page.head(
    "Attributions",
    "Which parts of an input spoke for a class, and which against it.",
    """
Each part is marked by what a method gives it: **warm** speaks for the class, **cool** against it, the middle colour
means no effect. The line under a picture says what its values are, and the strongest of them.

*One method* asks one of them; *Side by side* sets several beside controls that look at no model; *Many examples*,
*Over training* and *Whole split* ask the same of more than one example or step. Choose another class to ask why the
answer was not that, and a second one to ask why this and not that.

Below a method stand the checks of it that were worked out on *Trust* for these weights, each with its number and what
an explanation that looks at no model scores.

An attribution tells what moved this model's score. It does not tell that the model is right, nor that the world works
that way, and methods can be wrong about the model too. Where methods of different kinds agree, there is more reason to
believe them; they can also share a blind spot.
""",
)
chosen: dict[str, str] = {}
seen = view.resolve(view.current_run())
if seen is None:
    example.nothing_yet("ask")
else:
    example.example_bar(seen, pick=picking.pick)
    chosen = reasons.reasons(seen)
state.mirror_lens(**chosen)
