"""Python code that builds a pipeline again: what its ``repr`` shows."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mixtransforms.core.display import code_of
from mixtransforms.core.errors import ConfigError
from mixtransforms.files import registry
from mixtransforms.files.nodes import has_default
from mixtransforms.files.registry import Codec, TypeEntry
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.host_stages import HostStage
from mixtransforms.mixing.transform import MixTransform

# Characters of a line: a little more than most formatters allow, a little less than notebooks show.
CODE_WIDTH = 100

_HOST_PREFIX = {"torchvision": "v2.", "albumentations": "A."}
"""How each host's own documentation imports it."""

_KEY_MODULES = {"torchvision": "tv_tensors", "torch": "torch"}
"""Where types that are keys of dicts come from."""


@code_of.register(BatchPipeline)  # type: ignore[untyped-decorator]
@code_of.register(HostStage)  # type: ignore[untyped-decorator]
def source(pipeline: Any) -> str:
    """Constructor code that evaluates to an equal pipeline or stage; arguments that have their defaults are left out.

    Names are those of the hosts' own documentation: ``v2``, ``A``, ``torch``, ``tv_tensors``, and our classes. What
    cannot be written to a file either, such as a function, is shown by its own ``repr``.

    Args:
        pipeline: A pipeline, a stage or a transform of either host.
    """
    return _constructor_code(registry.codec_of(registry.host_of(pipeline)), pipeline, "")


def _constructor_code(codec: Codec, transform: Any, indent: str) -> str:
    if isinstance(transform, MixTransform):
        return repr(transform)
    try:
        entry = codec.entry_of(transform, "$")
        given = list(_given(entry, codec.held(transform, entry)))
    except (ConfigError, TypeError):
        return repr(transform)
    name = entry.name.removeprefix(registry.OWN_PREFIX).removeprefix(registry.CUSTOM_PREFIX)
    name = name.replace(f"{codec.host}.", _HOST_PREFIX.get(codec.host, ""))
    if not entry.children:
        return f"{name}({', '.join(given)})"
    inner = [_constructor_code(codec, child, indent + "    ") for child in codec.children(transform)]
    first = next(iter(inspect.signature(entry.cls).parameters)) == registry.CHILDREN_PARAMETER
    return _container(name, "" if first else f"{registry.CHILDREN_PARAMETER}=", inner, given, indent)


def _container(name: str, keyword: str, inner: list[str], given: list[str], indent: str) -> str:
    single = f"{name}({', '.join([f'{keyword}[' + ', '.join(inner) + ']', *given])})"
    if "\n" not in single and len(indent) + len(single) <= (CODE_WIDTH if indent else 0):
        return single
    lines = "".join(f"\n{indent}    {child}," for child in inner)
    listed = f"[{lines}\n{indent}]" if inner else "[]"
    return f"{name}({', '.join([keyword + listed, *given])})"


def _given(entry: TypeEntry, held: Mapping[str, Any]) -> Iterator[str]:
    """Arguments that differ from their defaults, as code."""
    for name, argument in entry.arguments.items():
        if name in held:
            written = argument.codec.write(held[name])
            if not has_default(argument, written):
                yield f"{name}={_value_code(argument.codec.read(written), written)}"


def _value_code(value: Any, written: Any) -> str:
    """A value as code; what has no code of its own is shown as files have it, which constructors take as well."""
    if isinstance(value, enum.Enum):
        home = "tv_tensors" if type(value).__module__.startswith("torchvision.tv_tensors") else "v2"
        return f"{home}.{type(value).__name__}.{value.name}"
    if isinstance(value, type):
        return f"{_KEY_MODULES.get(value.__module__.split('.')[0], value.__module__)}.{value.__name__}"
    if hasattr(value, "tolist"):
        return f"torch.tensor({value.tolist()!r}, dtype={value.dtype})"
    if isinstance(value, Mapping):
        items = zip(value.items(), written.values(), strict=True)
        return (
            "{"
            + ", ".join(f"{_value_code(key, key)}: {_value_code(item, there)}" for (key, item), there in items)
            + "}"
        )
    plain = value is None or isinstance(value, (bool, int, float, str, list, tuple)) or str(value).startswith("torch.")
    return repr(value if plain else written)
