"""A package made lazy offers what it offered, and one that does more than import is refused."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.lazy_imports import LAZY, NotOnlyImportsError, make_lazy

_PROGRAM = """
import json, sys
import shop
before = [name for name in sys.modules if name.startswith("shop.")]
from shop import Bread, Loaf
try:
    shop.Cake
except AttributeError as error:
    same, loaded = Loaf is Bread, "shop.milk" in sys.modules
    print(json.dumps([before, Bread.__module__, same, loaded, str(error)]))
"""


def _package(folder: Path, init: str) -> Path:
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text(init)
    (folder / "shop" / "bread.py").write_text("class Bread: pass\n")
    (folder / "shop" / "milk.py").write_text("class Milk: pass\n")
    return folder


def test_a_module_is_imported_when_a_name_of_it_is_asked_for(tmp_path: Path) -> None:
    init = (
        '"""A shop."""\nfrom shop.bread import Bread\nfrom .bread import Bread as Loaf\n'
        'from shop.milk import Milk\n__all__ = ["Bread"]\n'
    )
    make_lazy(_package(tmp_path, init), "shop")
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    missing = "module 'shop' has no attribute 'Cake'"
    assert json.loads(ran.stdout) == [[], "shop.bread", True, False, missing]


@pytest.mark.parametrize(
    "init", ["from shop.bread import *\n", "import os\n", "print(1)\n", "def __getattr__(n): ...\n"]
)
def test_a_package_that_does_more_than_import_is_refused(tmp_path: Path, init: str) -> None:
    with pytest.raises(NotOnlyImportsError, match="shop"):
        make_lazy(_package(tmp_path, init), "shop")


@pytest.mark.parametrize("package", LAZY)
def test_a_lazy_package_offers_what_it_offered(tmp_path: Path, package: str) -> None:
    original = importlib.import_module(package)
    folder = tmp_path.joinpath(*package.split("."))
    folder.mkdir(parents=True)
    assert original.__file__ is not None
    (folder / "__init__.py").write_text(Path(original.__file__).read_text())
    make_lazy(tmp_path, package)

    lazy: dict[str, object] = {"__name__": package}
    exec((folder / "__init__.py").read_text(), lazy)  # noqa: S102 - what is tested
    get, names = lazy["__getattr__"], lazy["__all__"]
    assert callable(get)
    assert isinstance(names, list)
    assert set(original.__all__) <= set(names)
    assert all(get(name) is getattr(original, name) for name in names)
