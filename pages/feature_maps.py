"""Feature maps: what each layer makes of an example."""

from explorer.views import example, inside, page, state, view

page.head(
    "Feature maps",
    "What each layer makes of one example, channel by channel, at any step of the training.",
    """
A convolution slides each of its **filters** over the image; the result is one **feature map** (channel) per filter.
Bright or warm means the filter found what it looks for at that place; cool means the opposite.

Early layers often find edges, later ones combinations of them. All channels share one scale, so a dim map is truly
weak. Move the step in the sidebar to 0 to see the layer before training.

A map shows what a channel responds to here. It does not show that the answer depends on it.
""",
)
seen = view.resolve(view.current_run())
if seen is None:
    example.nothing_yet("look into")
else:
    example.example_bar(seen)
    inside.inside(seen)
state.mirror_lens()
