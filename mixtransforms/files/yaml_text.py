"""YAML text of plain data: what our reader takes for the same data."""

from __future__ import annotations

import re
from typing import Any

from mixtransforms.core.errors import missing
from mixtransforms.files.document import JSON_WIDTH

# Words that no reader of any version of YAML takes for something else; the rest is quoted.
_PLAIN = re.compile(r"(?!(?:null|true|false|yes|no|on|off|y|n|inf|nan)$)[A-Za-z_][\w./-]*", re.IGNORECASE | re.ASCII)


def yaml_text(data: Any) -> str:
    """YAML for people: values that hold no others stand in one line, keys keep their order.

    Args:
        data: In JSON's vocabulary.

    Raises:
        MissingDependencyError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise missing("PyYAML", "yaml", "Writing YAML") from None

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # a class of its own: representers belong to classes
        def ignore_aliases(self, data: Any) -> bool:  # readers of files need not know them
            return True

    def text(dumper: Any, value: str) -> Any:
        style = None if _PLAIN.fullmatch(value) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    # None: what holds only plain values stands in one line.
    form = {"sort_keys": False, "allow_unicode": True, "width": JSON_WIDTH, "default_flow_style": None}
    written: str = yaml.dump(data, Dumper=Dumper, **form)
    return written
