"""Home: what this is, and one click to see a model learn."""

import streamlit as st

from explorer.views import live_run, page, state, training, view

st.title("See a neural network learn, and ask it why", anchor=False)
st.markdown(
    "Build a small network, train it on real data before your eyes, look at what each layer sees, "
    "and ask which pixels decided an answer."
)
with st.container(horizontal=True, key="first-steps"):
    if st.button("Train a CNN on digits now", type="primary", icon=":material/play_arrow:", key="start-default"):
        with st.spinner("Starting"):
            training.start_default()
        st.switch_page(page.TRAIN)
    if st.button("Build your own", icon=":material/construction:", key="to-build"):
        st.switch_page(page.BUILD)

st.image(
    page.ASSETS / "strip.png",
    caption="From left to right: an input, what two layers make of it, and which pixels decided the answer.",
    alt="A handwritten digit, its feature maps in two layers, and the pixels that spoke for the answer.",
)

steps = (
    ("Build", "Stack layers and see at once what each makes and costs.", page.BUILD, "construction"),
    ("Train", "Watch loss and accuracy while it learns. Stop at any time.", page.TRAIN, "show_chart"),
    ("Look inside", "See what every layer makes of an example, at any step.", page.INSIDE, "grid_view"),
    ("Ask why", "See what spoke for an answer, and what against it.", page.ATTRIBUTIONS, "psychology_alt"),
    ("Doubt it", "See how far each explanation can be trusted.", page.TRUST, "balance"),
)
for column, (number, (title, text, target, icon)) in zip(st.columns(len(steps)), enumerate(steps, 1), strict=True):
    with column, st.container(border=True, height="stretch"):
        st.page_link(target, label=f"**{number}. {title}**", icon=f":material/{icon}:")
        st.caption(text)

run = view.current_run()
with st.container(horizontal=True, vertical_alignment="center", key="latest"):
    if run:
        st.markdown(f"You are looking at **{page.plain(run.title)}**", width="content")
        view.badge(run)
        st.page_link(page.TRAIN, label="Open it", icon=":material/arrow_forward:")
    else:
        st.markdown("What a run looks like: the CNN on digits, recorded")
live_run.glance(run)
state.mirror_lens()
