"""Runs commands of the package as a user's terminal does, but in this process."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("typer", reason="typer is not installed")

from typer.testing import CliRunner, Result

from mixtransforms.cli import main


def run(*words: Any) -> Result:
    """The result of a command."""
    return CliRunner().invoke(main.application(), [str(word) for word in words])


def succeeds(*words: Any) -> str:
    """What a command prints that ends well."""
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def failed(*words: Any) -> Result:
    """The result of a command that ends with status 1 and no traceback."""
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def fails(*words: Any) -> str:
    """What such a command says."""
    return failed(*words).stderr
