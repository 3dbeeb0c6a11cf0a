"""Documentation of others as plain text: docstrings without markup, cut to what a line has room for."""

from __future__ import annotations

import inspect
import re
import textwrap

_SECTION = re.compile(r"^(?:Args|Arguments|Raises|Returns|Examples?|Targets|Image types|References|Note|Notes):", re.M)

_MARKUP = (
    (r"^\.\. [\w ]*::.*\bBETA\b.*$|^\.\. v2betastatus::.*$", ""),
    (r"\.\. ([Nn]ote|[Ww]arning|seealso|versionadded|deprecated)::", lambda match: f"{match[1].capitalize()}:"),
    (r":[\w:]+:`~?([^`<]+?)\s*(?:<[^>`]*>)?`", lambda match: match[1].rpartition(".")[2] or match[1]),  # a role
    (r"`([^`<]+?)\s*<([^>`]+)>`__?", r"\1 (\2)"),  # a link
    (r"``(.+?)``", r"\1"),
    (r"`([^`<]+)`__?", r"\1"),  # a link whose address stands elsewhere
    (r"(?<![\w*])\*\*(?=\S)([^*]+)(?<=\S)\*\*", r"\1"),  # and no power, such as ``p ** 2 + q ** 2``
)
"""What reStructuredText has, and what stands for it where nothing renders it."""

WIDTH = 100
"""Characters of a line of text."""


def plain(text: str) -> str:
    """A text without the markup of reStructuredText."""
    for pattern, instead in _MARKUP:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


def prose(cls: type) -> str:
    """A docstring without its sections."""
    return _SECTION.split(inspect.cleandoc(cls.__doc__ or ""))[0].strip()


def sentence(text: str, width: int = WIDTH) -> str:
    """The first sentence of a text, cut where a line ends."""
    # A full stop behind a single letter, or between letters as in "e.g.", ends none.
    first = re.split(r"(?<=[^\s.][^\s.][.!?])\s", plain(" ".join(text.split())), maxsplit=1)[0]
    return textwrap.shorten(first, width, placeholder=" ...")


def paragraphs(text: str, indent: str = "") -> str:
    """A text in lines of :data:`WIDTH`, its own paragraphs, lists and code kept apart."""
    parts = re.split(r"\n\s*\n", plain(text).strip())
    return "\n\n".join(part if _is_laid_out(part) else _filled(part, indent) for part in parts)


def _is_laid_out(part: str) -> bool:
    """Whether lines were broken on purpose: lists, code and tables."""
    return any(re.match(r"\s+|[-*+|>] |\d+\. ", line) for line in part.splitlines())


def _filled(part: str, indent: str) -> str:
    return textwrap.fill(
        " ".join(part.split()),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
