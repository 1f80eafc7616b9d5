"""The entry script: navigation and the sidebar lens; nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run explorer/app.py` puts only explorer/ on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st

from explorer.views import live_run, microscope, moving, page, server, state, travel, view

st.set_page_config("Visual model explorer", page_icon=str(ROOT / "assets/icon.svg"), layout="wide")
st.logo(str(ROOT / "assets/logo.svg"), icon_image=str(ROOT / "assets/icon.svg"), size="large")
st.html(ROOT / "assets/style.css")

TRAIN = st.Page(page.TRAIN, title="Train", icon=":material/show_chart:")
LOOKING = [
    st.Page(page.EVALUATE, title="Evaluate", icon=":material/fact_check:"),
    st.Page(page.INSIDE, title="Look inside", icon=":material/grid_view:"),
    st.Page(page.ATTRIBUTIONS, title="Attributions", icon=":material/psychology_alt:"),
    st.Page(page.TRUST, title="Trust", icon=":material/balance:"),
]
chosen = st.navigation(
    {
        "": [st.Page(page.HOME, title="Home", icon=":material/home:", default=True)],
        "Make": [
            st.Page(page.BUILD, title="Build", icon=":material/construction:"),
            TRAIN,
            st.Page(page.RUNS, title="Runs", icon=":material/list:"),
            st.Page(page.COMPARE, title="Compare", icon=":material/compare_arrows:"),
        ],
        "Understand": LOOKING,
    }
)
with page.boundary():
    server.compute()
    state.adopt_url(chosen.url_path)
    travel.arrive(chosen.url_path)
    with st.sidebar, page.boundary():
        on_train = view.current_run() if chosen is TRAIN else None
        view.sidebar(chosen in LOOKING or microscope.follows(on_train), live_run.follows(on_train))
    with page.boundary():
        view.not_here()
    with moving.moving(state.playing() or travel.current().still):  # the last step, too, follows one before it
        chosen.run()
with page.boundary():
    travel.keep_playing(lambda: view.resolve(view.current_run()))
server.warm_up()
