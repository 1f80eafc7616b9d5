"""Trust: how far the explanations of a model's answers can be relied on."""

from explorer.views import example, page, state, trusting, view

page.head(
    "Trust",
    "How far each attribution method can be trusted about this model: several checks, each beside what an explanation "
    "that looks at no model would score.",
    """
Each row is a method, each column asks something else of it: whether it depends on what was learned, whether it says
what covering places does to the answer, whether it stays the same under a little noise. The **bar** is its score, the
**tick** a control; the head of a column says which way is better. A hatched bar with **!** is doubtful.

The last rows look at no model. A method that scores as they do explains nothing in that respect.

No check alone makes a method right, and some contradict each other: they ask different things. All of them are means
over a few examples; others may differ. Checks that cover places show the model inputs it never saw.
""",
)
chosen: dict[str, str] = {}
seen = view.resolve(view.current_run())
if seen is None:
    example.nothing_yet("doubt")
else:
    chosen = trusting.trusting(seen)
state.mirror_lens(**chosen)
