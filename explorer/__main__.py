"""The command line: ``python -m explorer`` serves the app; ``train`` and ``doctor`` do without it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.runs.settings import Settings
from explorer.specs import TrainSpec

APP = Path(__file__).with_name("app.py")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; expected errors become one line and exit status 2."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        for name in ("home", "workers", "device", "memory"):
            if getattr(options, name, None) is not None:
                os.environ[f"EXPLORER_{name.upper()}"] = str(getattr(options, name))
        return options.command(options, Settings.read())
    except ExplorerError as error:
        print(f"explorer: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    # No defaults: what is given before the name of a command must not be undone by the command's own default.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--home", help="folder that keeps runs (default: this user's data folder, or EXPLORER_HOME)")
    parser = argparse.ArgumentParser(
        prog="python -m explorer", description="The visual model explorer.", parents=[common]
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on")
    parser.add_argument("--workers", type=int, help="runs that train at once (default: one per core)")
    parser.add_argument("--memory", type=float, help="GiB of memory one worker may take (default: a fair share)")
    parser.add_argument("--device", help="what 'auto' means: auto, cpu, cuda or mps")
    parser.set_defaults(command=serve)
    commands = parser.add_subparsers(title="other commands")

    training = commands.add_parser("train", help="train one model into the store", parents=[common])
    training.add_argument("--dataset", default="digits", help="name of a data set")
    training.add_argument("--model", default="cnn", help="name of a family")
    for name, field in TrainSpec.model_fields.items():
        option = f"--{name.replace('_', '-')}"
        training.add_argument(
            option,
            type=field.annotation,
            default=argparse.SUPPRESS,
            help=f"{field.description} (default: what suits the model, often {field.default})",
        )
    training.add_argument("--json", action="store_true", help="end with one line of JSON")
    training.set_defaults(command=train)

    commands.add_parser("doctor", help="say what was found here and what is missing", parents=[common]).set_defaults(
        command=doctor
    )
    return parser


def serve(options: argparse.Namespace, settings: Settings) -> int:
    """Serve the app until Ctrl-C."""
    from explorer.runs.store import RunStore

    _check_port(options.host, options.port)
    if settings.device != "auto":
        from explorer.training import resolve_device

        resolve_device(settings.device)
    RunStore(settings.home).close()  # a home that cannot be used is said here, not in the browser
    settings.export()

    from streamlit.web import bootstrap

    from explorer.views.server import compute

    flags = {"server_address": options.host, "server_port": options.port, "browser_serverAddress": _shown(options.host)}
    bootstrap.load_config_options(flags)
    compute()
    bootstrap.run(str(APP), False, [], flags)
    return 0


def _shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ExplorerError(
                f"Cannot listen on {host} port {port} ({reason}). Choose another with --port, such as --port 8502."
            ) from error


def train(options: argparse.Namespace, settings: Settings) -> int:
    """Train one model into the store, with a progress bar."""
    from tqdm import tqdm

    from explorer.data import load_dataset
    from explorer.models import preset, preset_training
    from explorer.places import look_in
    from explorer.runs.execute import execute, submit
    from explorer.runs.store import RunStore, Status
    from explorer.specs import RunSpec, parse
    from explorer.training import EpochDone, StepDone, resolve_device

    given = {
        name: value for name, value in vars(options).items() if name in TrainSpec.model_fields and value is not None
    }
    parse(TrainSpec, given, "training setting")  # said before a data set is read
    look_in(settings.home)
    dataset = load_dataset(options.dataset)
    model = preset(options.model, dataset)
    suited = preset_training(options.model, dataset).model_dump()
    settings_of_run = parse(TrainSpec, suited | given, "training setting")
    resolve_device(settings.device if settings_of_run.device == "auto" else settings_of_run.device)
    spec = RunSpec(dataset=options.dataset, model=model, train=settings_of_run, family=options.model)
    store = RunStore(settings.home)
    with store.owners.hold() as owner:
        run = submit(store, spec, owner=owner)
        with (
            tqdm(total=run.total_steps, unit="step", file=sys.stderr, mininterval=0.2) as bar,
            _interrupts_between_steps() as heed,
        ):

            def watch(event: Any) -> None:
                heed()
                if isinstance(event, EpochDone):
                    said = [f"{name} {value:.3f}" for name, value in event.validation.items()]
                    bar.set_postfix_str("validation " + ", ".join(reversed(said)))
                elif isinstance(event, StepDone):
                    bar.update()

            run = execute(store, run, owner, settings.device, watch)
    if run.reason:
        print(f"explorer: {run.reason}", file=sys.stderr)
    if options.json:
        print(
            json.dumps(
                {
                    "run_id": run.id,
                    "dataset": run.spec.dataset,
                    "model": run.spec.family,
                    "seed": run.spec.train.seed,
                    "epochs": run.epoch,
                    "seconds": round(run.trained, 3),
                    "parameters": run.parameters,
                    "device": run.device,
                    "status": run.status,
                    "test": run.test,
                }
            )
        )
    else:
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in run.test.items()) or "no test metrics"
        print(f"{run.title}, run {run.id}: {run.status} in {run.trained:.1f} s, test {metrics}")
    return {Status.FINISHED: 0, Status.STOPPED: 130}.get(run.status, 1)


@contextmanager
def _interrupts_between_steps() -> Iterator[Callable[[], None]]:
    """Keep Ctrl-C until the function given is called, so that it breaks into no write; a second one acts at once."""
    kept = False

    def keep(*_: Any) -> None:
        nonlocal kept
        if kept:
            raise KeyboardInterrupt
        kept = True

    def heed() -> None:
        if kept:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield heed
    finally:
        signal.signal(signal.SIGINT, before)


def doctor(_options: argparse.Namespace, settings: Settings) -> int:
    """Say what was found and what to do about what is missing."""
    from importlib.metadata import PackageNotFoundError, version

    import torch

    from explorer.data import DATASETS, load_dataset
    from explorer.runs.store import RunStore
    from explorer.training import describe_device, resolve_device

    problems = 0

    def say(what: str, found: str, problem: bool = False) -> None:
        nonlocal problems
        problems += problem
        print(f"{'!!' if problem else 'ok'}  {what:<12} {found}")

    say("python", sys.version.split()[0], sys.version_info < (3, 11))
    for package in ("streamlit", "torch", "captum", "plotly", "pandas"):
        try:
            say("package", f"{package} {version(package)}")
        except PackageNotFoundError:
            say("package", f"{package} is missing: .venv/bin/pip install -r requirements.txt", True)
    try:
        say("device", describe_device(resolve_device(settings.device)))
    except ExplorerError as error:
        say("device", str(error), True)
    say("cores", f"{os.cpu_count()} ({torch.get_num_threads()} torch threads); {settings.workers} runs train at once")
    try:
        store = RunStore(settings.home)
        say("store", f"{settings.home}: {len(store.list())} runs, {store.disk_free() / 2**30:.1f} GiB free")
    except ExplorerError as error:
        say("store", str(error), True)
    for name in DATASETS:
        if reason := DATASETS[name].missing():
            say("data set", f"{name} is optional and not here. {reason}")
            continue
        try:
            data = load_dataset(name)
            say("data set", f"{name}: {len(data.train)} + {len(data.validation)} + {len(data.test)} examples")
        except ExplorerError as error:
            say("data set", str(error), True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
