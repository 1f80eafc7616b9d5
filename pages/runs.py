"""Runs: all of them, on this server."""

from explorer.views import page, run_list, server, state

page.head(
    "Runs",
    "Every model that was trained here, newest first.",
    """
A run is one training of one model. **Queued** runs wait for a free worker and start by themselves. **Interrupted**
means the program that trained it was ended from outside; what it had written is kept.

Everyone on this server sees and can change the same runs.
""",
)
if server.store().count():
    run_list.run_list()
else:
    page.empty("No runs yet", "A run appears here as soon as you start one.", page.HOME, "Go to the start")
state.mirror_lens()
