"""What figures need that the package itself does not."""

from __future__ import annotations

from mixtransforms.core.errors import missing


def need_matplotlib() -> None:
    """Says in words where matplotlib is not installed, before anything is worked out.

    Raises:
        MissingDependencyError: It is not.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as reason:
        raise missing("matplotlib", "show", "mixtransforms.show") from reason
