"""What `ivr integrations new` writes is complete as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ivr.connectors.scaffold import LONGEST_NAME, name_mistake, write_integration
from ivr.errors import SetupError

ROOT = Path(__file__).parents[3]
NAMES = ("x", "acme_crm", "abcdefghijklmnopqrst")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but new integrations in it, of names short and long."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "ivr").symlink_to(ROOT / "ivr")
    (tmp_path / "integrations").mkdir()
    (tmp_path / "integrations/__init__.py").write_text('"""Integrations."""\n')
    for name in NAMES:
        write_integration(name, tmp_path / "integrations", tmp_path / "tests/integrations")
    return tmp_path


def run(checkout: Path, *command: str) -> None:
    """Run a module of Python's in a checkout; show what it says when it fails."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(400)  # ruff, mypy and pytest start from nothing
def test_it_passes_ruff_mypy_pytest_and_the_check_as_written(checkout: Path) -> None:
    assert max(map(len, NAMES)) == LONGEST_NAME
    run(checkout, "ruff", "format", "--check", "integrations", "tests")
    run(checkout, "ruff", "check", "integrations", "tests")
    run(checkout, "mypy", "--explicit-package-bases", "integrations", "tests/integrations")
    run(checkout, "pytest", "-q", "-p", "no:cacheprovider")
    run(checkout, "ivr", "integrations", "check")


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "tests/acme").mkdir(parents=True)
    with pytest.raises(SetupError, match=r"tests/acme is there already; choose another name"):
        write_integration("acme", tmp_path / "integrations", tmp_path / "tests")
    assert not (tmp_path / "integrations").exists()


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("Acme CRM", "acme_crm"),
        ("2fast", "fast"),
        ("acme-crm", "acme_crm"),
        ("acme__crm", "acme_crm"),
        ("_acme", "acme"),
        ("class", "class_crm"),
        ("a" * 21, "a" * 20),
        ("../x", "x"),
    ],
)
def test_a_name_that_will_not_do_is_told_with_one_that_would(name: str, proposal: str) -> None:
    assert f"'{proposal}' would do" in name_mistake(name)
    assert name_mistake(proposal) == ""


def test_a_name_of_which_nothing_is_left_is_told_too(tmp_path: Path) -> None:
    assert "would do" not in name_mistake("…")
    with pytest.raises(SetupError, match="cannot be an integration's name"):
        write_integration("…", tmp_path, tmp_path)
