"""Look inside: what the network makes of an example, at any step of its training."""

from explorer.views import example, inside, page, picking, state, view

page.head(
    "Look inside",
    "What the network makes of one example, layer by layer, at any step of its training.",
    """
Choose **what to look at**; what does not fit this model says why under *Not for this model*. The lines under each
picture say how to read it, and how it can mislead. *Beside it* puts a second look next to the first, *At several steps*
shows training from first to last, and *Play* in the sidebar moves through it.

The address of this page opens exactly this view in another browser.

What is seen here is what the network computes. It does not show by itself what the answer depends on: for that, see
*Attributions* of the same example.
""",
)
chosen: dict[str, str] = {}
seen = view.resolve(view.current_run())
if seen is None:
    example.nothing_yet("look into")
else:
    example.example_bar(seen, pick=picking.pick)
    chosen = inside.inside(seen)
state.mirror_lens(**chosen)
