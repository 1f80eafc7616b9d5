"""The command line as a person or a script meets it: output, exit status, one line for each mistake."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import explorer as ex
from explorer.__main__ import main
from tests.processes import ROOT, explorer, python

Done = subprocess.CompletedProcess[str]
KEYS = ["run_id", "dataset", "model", "seed", "epochs", "seconds", "parameters", "device", "status", "test"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command in this process, which saves the seconds of starting one; the environment is put back."""

    def run(*arguments: object) -> Done:
        for name in ("HOME", "WORKERS", "DEVICE"):
            monkeypatch.setenv(f"EXPLORER_{name}", "")
        return subprocess.CompletedProcess(
            arguments, main([str(argument) for argument in arguments]), *capfd.readouterr()
        )

    return run


def one_line(done: Done) -> str:
    """The only line that was written, which is an error for the user."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("explorer: ")
    return line


def test_training_ends_with_one_line_of_json_and_a_run_in_the_store(home: Path) -> None:
    done = explorer("train", "--home", home, "--model", "mlp", "--epochs", 2, "--seed", 5, "--json")

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert list(said) == KEYS
    (run,) = ex.RunStore(home).list()
    assert said == {
        "run_id": run.id,
        "dataset": "digits",
        "model": "mlp",
        "seed": 5,
        "epochs": 2,
        "seconds": pytest.approx(run.trained, abs=0.001),
        "parameters": 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10,
        "device": run.device,
        "status": "finished",
        "test": run.test,
    }
    assert set(run.test) == {"loss", "accuracy"}
    assert run.spec.train == ex.TrainSpec(epochs=2, seed=5)
    assert "validation accuracy" in done.stderr, "the progress bar keeps out of the way of the output"


def test_a_home_given_before_the_command_counts(
    home: Path, tmp_path: Path, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    done = command("--home", home, "--device", "cpu", "train", "--model", "mlp", "--epochs", 1)

    assert done.returncode == 0, done.stderr
    (run,) = ex.RunStore(home).list()
    assert run.spec.train.device == "cpu"
    assert run.id in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_run_that_fails_says_why_and_exits_with_1(home: Path, command: Callable[..., Done]) -> None:
    done = command("train", "--home", home, "--learning-rate", "1e9", "--json")

    assert done.returncode == 1
    assert "explorer: The loss became" in done.stderr
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    assert (said["status"], said["test"]) == ("diverged", {})


def test_an_interrupt_stops_training_and_still_reports(home: Path) -> None:
    command = [sys.executable, "-m", "explorer", "train", "--home", str(home), "--epochs", "10000", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr
        seen = ""
        while "validation accuracy" not in seen:
            seen += training.stderr.read(20)
        training.send_signal(signal.SIGINT)
        output, errors = training.communicate(timeout=30)

    assert training.returncode == 130
    assert "Traceback" not in errors
    said = json.loads(output)
    assert said["status"] == "stopped"
    assert said["test"]["accuracy"] > 0.1
    assert 1 <= said["epochs"] < 10_000


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--dataset", "digit"], "There is no data set called 'digit'. Choose one of: digits, mnist5k"),
        (["--model", "gan"], "There is no family called 'gan'. Choose one of: mlp, cnn"),
        (["--epochs", "-3"], "epochs is -3, but it should be greater than or equal to 1"),
        (["--learning-rate", "nan"], "learning_rate is nan, but it should be a finite number"),
        (["--optimizer", "adamant"], "optimizer is 'adamant', but it should be one of: adam, adamw, sgd, rmsprop"),
        (["--device", "abacus"], "device is 'abacus', but it should be one of: auto, cpu, cuda, mps"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_value_that_cannot_work_is_one_line_and_nothing_is_stored(
    arguments: list[str], text: str, home: Path, command: Callable[..., Done]
) -> None:
    line = one_line(command("train", "--home", home, *arguments))

    assert text in line
    assert not home.exists() or ex.RunStore(home).list() == []


def test_a_mistake_ends_the_real_program_in_the_same_way(home: Path) -> None:
    assert "Choose one of: digits" in one_line(explorer("train", "--home", home, "--dataset", "digit"))


def test_a_device_this_machine_does_not_have_is_one_line(home: Path, command: Callable[..., Done]) -> None:
    line = one_line(command("train", "--home", home, "--device", "mps" if sys.platform != "darwin" else "cuda"))

    assert "was asked for, but this machine has only: " in line


def test_a_word_in_the_place_of_a_number_is_refused_by_name(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["train", "--home", str(home), "--epochs", "ten"])

    assert left.value.code == 2
    assert capfd.readouterr().err.splitlines()[-1].endswith("argument --epochs: invalid int value: 'ten'")


def test_a_home_that_is_a_file_is_one_line(tmp_path: Path, command: Callable[..., Done]) -> None:
    file = tmp_path / "file"
    file.write_text("")

    assert f"Runs cannot be kept in {file}" in one_line(command("train", "--home", file))


def test_a_damaged_store_is_one_line(home: Path, command: Callable[..., Done]) -> None:
    home.mkdir()
    (home / "runs.sqlite").write_bytes(b"junk" * 1000)

    assert "is damaged" in one_line(command("train", "--home", home))


@pytest.mark.parametrize("arguments", [["--workers", "0"], ["--workers", "1000"]])
def test_a_wrong_number_of_workers_is_one_line(arguments: list[str], command: Callable[..., Done]) -> None:
    assert "it should be a whole number from 1 to 256" in one_line(command(*arguments))


def test_the_doctor_names_versions_device_store_and_data(
    home: Path, digits: ex.Dataset, command: Callable[..., Done]
) -> None:
    done = command("doctor", "--home", home)

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    for found in (
        f"python       {sys.version.split()[0]}",
        "streamlit 1.",
        "torch 2.",
        "captum 0.",
        "device       ",
        f"store        {home}: 0 runs",
        f"digits: {len(digits.train)} + {len(digits.validation)} + {len(digits.test)} examples",
        "mnist5k: 3500 + 750 + 750 examples",
    ):
        assert found in done.stdout


def test_the_doctor_says_what_is_wrong_and_goes_on(tmp_path: Path, command: Callable[..., Done]) -> None:
    file = tmp_path / "file"
    file.write_text("")

    done = command("doctor", "--home", file)

    assert done.returncode == 1
    assert f"!!  store        Runs cannot be kept in {file}" in done.stdout
    assert "ok  data set     digits" in done.stdout


def test_a_taken_port_is_one_line_before_anything_is_started(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = one_line(explorer("--port", port, "--home", home))

    assert line.startswith(f"explorer: Cannot listen on 127.0.0.1 port {port} (Address already in use).")
    assert "Choose another with --port" in line
    assert not home.exists()


def test_the_port_is_checked_before_streamlit_is_loaded() -> None:
    code = (
        "import socket, sys\n"
        "from explorer.__main__ import main\n"
        "with socket.socket() as taken:\n"
        "    taken.bind(('127.0.0.1', 0))\n"
        "    taken.listen()\n"
        "    print(main(['--port', str(taken.getsockname()[1])]), 'streamlit' in sys.modules)\n"
    )

    assert python("-c", code).stdout == "2 False\n"


@pytest.mark.parametrize("port", [-1, 65536, 10**10])
def test_a_port_that_does_not_exist_is_one_line(port: int, command: Callable[..., Done]) -> None:
    assert "Choose another with --port" in one_line(command("--port", port))


def test_help_lists_the_commands_and_every_setting(capfd: pytest.CaptureFixture[str]) -> None:
    def help_of(*command: str) -> str:
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        return capfd.readouterr().out

    assert {"train", "doctor", "--port", "--home"} <= set(help_of().replace(",", " ").split())
    for name in ex.TrainSpec.model_fields:
        assert f"--{name.replace('_', '-')}" in help_of("train")
