"""Build: a model, layer by layer."""

import streamlit as st

from explorer.models import plan
from explorer.views import data_card, model_card, model_editor, page, state, training

page.head(
    "Build",
    "Choose what to learn, then stack layers. Everything below follows each edit.",
    """
Data run from the first layer to the last. Each layer shows **its name → the shape of what it puts out**: `16×8×8` is
16 channels of 8×8 pixels, a single number is a flat vector, `29×64` is a sequence of 29 vectors of 64 numbers.

- **Parameters** are the weights that training changes.
- **Multiply-adds** are the arithmetic for one example: roughly, the time it takes.
- The **receptive field** (in the table) is how much of the input one output value can see.

The last layer must give one number per class; one for two classes, and one for a value. More parameters are not better
by themselves: small data are soon learned by heart.
""",
)
dataset = data_card.data_card()
model_editor.starters(dataset)
draft = state.draft()
made = plan(draft.model, dataset)
left, right = st.columns([2, 3], gap="medium")
with left:
    model_editor.layer_list(made, dataset)
with right:
    model_editor.layer_form(made)
    problem = model_card.totals(made, min(state.training().batch_size, len(dataset.train)))
    training.start_button("Train this model", "train-draft", problem is not None)
    model_card.model_card(made, dataset)
state.mirror_draft()
