"""Works out one table in a process of its own: which one comes as JSON, how far it is goes to standard output.

It ends when its standard input is closed, as it is when whoever started it dies; what is done is in the store by then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from pathlib import Path


def main() -> None:
    """Read what is wanted, and work it out."""
    home, wanted = sys.argv[1:3]
    threading.Thread(target=_end_with_starter, daemon=True).start()
    os.nice(5)  # those who look at pages, and runs that train, come first
    warnings.simplefilter("ignore")  # Captum's, about the hooks it sets
    import torch

    from explorer.errors import ExplorerError
    from explorer.runs.store import RunStore
    from explorer.specs import parse
    from explorer.training.device import training_threads
    from explorer.trust.table import Wanted, work_out

    torch.set_num_threads(training_threads())
    try:
        for done, total in work_out(RunStore(Path(home)), parse(Wanted, wanted, "table")):
            _say({"done": done / max(total, 1)})
        _say({"whole": True})
    except ExplorerError as error:
        _say({"error": str(error)})


def _say(what: dict) -> None:
    print(json.dumps(what), flush=True)


def _end_with_starter() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
