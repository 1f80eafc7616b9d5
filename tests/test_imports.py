"""The architecture, read from the imports: which package may know which."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import explorer as ex
from tests.processes import ROOT, python

ORDER = [
    "errors",
    "beside",
    "compact",
    "places",
    "registry",
    "specs",
    "data",
    "models",
    "training",
    "runs",
    "probes",
    "attribution",
    "flips",
    "trust",
    "figures",
    "views",
    "pages",
    "app",
    "__main__",
]
MAY_IMPORT_STREAMLIT = {"views", "pages", "app", "__main__"}


def sources(root: Path) -> list[Path]:
    return sorted([*(root / "explorer").rglob("*.py"), *(root / "pages").glob("*.py")])


def package_of(file: Path, root: Path) -> str:
    """The place in `ORDER` that a file belongs to; "" for explorer/__init__.py, which imports nothing by itself."""
    parts = file.relative_to(root).with_suffix("").parts
    if parts[0] == "pages":
        return "pages"
    return "" if parts == ("explorer", "__init__") else parts[1]


def imports(file: Path, root: Path) -> Iterator[str]:
    """Dotted names that a file imports, inside functions too."""
    package = file.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def arrows_back(root: Path) -> list[str]:
    """Every import of a later package, or of something that has no place in the order."""
    found = []
    for file in sources(root):
        here = package_of(file, root)
        for name in imports(file, root):
            top, *rest = name.split(".")
            if top not in ("explorer", "pages"):
                continue
            there = "pages" if top == "pages" else rest[0] if rest else ""
            if not here or there not in ORDER or here not in ORDER or ORDER.index(there) > ORDER.index(here):
                found.append(f"{file.relative_to(root)} imports {name}")
    return found


def users_of_streamlit(root: Path) -> set[str]:
    return {
        package_of(file, root)
        for file in sources(root)
        if any(name.split(".")[0] == "streamlit" for name in imports(file, root))
    }


def test_no_import_points_to_a_later_package() -> None:
    assert arrows_back(ROOT) == []


def test_streamlit_is_imported_only_by_the_app() -> None:
    assert users_of_streamlit(ROOT) <= MAY_IMPORT_STREAMLIT


def test_these_checks_see_what_they_look_for(tmp_path: Path) -> None:
    for name, code in {
        "explorer/__init__.py": "",
        "explorer/errors.py": "def late():\n    from explorer.runs import store",
        "explorer/data/base.py": "from ..models import build",
        "explorer/models/build.py": "import explorer.data.base\nimport streamlit.web",
        "explorer/probes/shapes.py": "from explorer import utilities",
        "pages/home.py": "from explorer.views import page",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")

    assert arrows_back(tmp_path) == [
        "explorer/data/base.py imports explorer.models.build",
        "explorer/errors.py imports explorer.runs.store",
        "explorer/probes/shapes.py imports explorer.utilities",
    ]
    assert users_of_streamlit(tmp_path) == {"models"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("explorer", ("torch", "pandas", "streamlit")), ("explorer.runs.engine", ("sklearn", "streamlit"))],
)
def test_importing_does_not_load_what_is_not_needed_yet(module: str, heavy: tuple[str, ...]) -> None:
    done = python("-c", f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])")

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_library_works_where_streamlit_is_not_installed() -> None:
    done = python(
        "-c",
        "import sys, pkgutil, importlib\n"
        "sys.modules['streamlit'] = None\n"
        "import explorer\n"
        "for module in pkgutil.walk_packages(explorer.__path__, 'explorer.'):\n"
        "    if not module.name.startswith(('explorer.views', 'explorer.app')):\n"
        "        importlib.import_module(module.name)\n"
        "        print(module.name)",
    )

    assert done.returncode == 0, done.stderr
    assert "explorer.runs.engine" in done.stdout.split()


@pytest.mark.parametrize("name", ex.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name: str) -> None:
    value = getattr(ex, name)

    assert name in dir(ex)
    if inspect.isclass(value) or inspect.isroutine(value):
        own = (vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
        assert len(own) > 10
        assert not own.startswith(f"{name}("), "this is the text that dataclasses write themselves"


def test_the_promised_names_are_public() -> None:
    promised = (
        "load_dataset preset build summarize to_code train TrainSpec StepDone EpochDone RunStore capture attribute"
    )

    assert set(promised.split()) <= set(ex.__all__)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'bild'"):
        ex.bild  # noqa: B018
