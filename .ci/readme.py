"""Prints the one shell command of README.md that ends with the words given, so that CI runs what readers run."""

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def commands(text: str) -> list[str]:
    """The lines of all ``bash`` blocks, comments and blank lines left out."""
    blocks = re.findall(r"^```bash\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def command(words: str, text: str) -> str:
    """The set-up command that ends with ``words``.

    Raises:
        LookupError: There is none, or there are several.
    """
    found = [line for line in commands(text) if line.startswith("python -m pip install") and line.endswith(words)]
    if len(found) != 1:
        raise LookupError(
            f"README.md has {len(found)} commands that install the package and end with {words!r}; wanted one, on one "
            f"line of a ```bash block. Its commands: {commands(text)}"
        )
    return found[0]


if __name__ == "__main__":
    try:
        print(command(sys.argv[1], README.read_text(encoding="utf-8")))
    except LookupError as error:
        sys.exit(str(error))
