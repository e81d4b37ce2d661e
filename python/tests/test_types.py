"""The types are complete, and the stubs are those of the module."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tachograph
from tachograph import _native

PACKAGE = Path(tachograph.__file__).parent


def test_the_package_type_checks_strictly(tmp_path):
    pytest.importorskip("mypy")
    pytest.importorskip("ag2")
    packages = [str(PACKAGE), str(PACKAGE.parent / "tachograph_verify")]
    config = str(Path(__file__).parent.parent / "pyproject.toml")
    options = ["--config-file", config, "--cache-dir", str(tmp_path)]
    command = [sys.executable, "-m", "mypy", *options, *packages]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_stubs_name_what_the_module_has():
    stubs = (PACKAGE / "_native.pyi").read_text()
    for class_ in (_native.Log, _native.Receipt):
        for name in vars(class_):
            if not name.startswith("__"):
                assert f"def {name}(" in stubs, f"{class_.__name__}.{name}"
    for name, _ in inspect.getmembers(_native, inspect.isbuiltin):
        assert f"def {name}(" in stubs, name
