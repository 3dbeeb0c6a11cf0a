"""Every public transform of both hosts, through JSON text into a fresh process: equal state, equal outputs.

Nothing here is taken from the package but its three names: states are compared by a comparison of our own, and the digests
that a fresh process makes of what it read are compared with those of the originals, which never saw JSON.
"""

import ast
import enum
import functools
import hashlib
import inspect
import json
import math
import os
import random
import re
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_cases import DEPRECATED, EVERY, HOSTS, built
from once import once

import mixtransforms

REFUSED = [pytest.param(host, *pair, id=pair[0]) for host, cases in HOSTS.items() for pair in cases.REFUSED.items()]

pytestmark = DEPRECATED


@pytest.mark.parametrize(("host", "case"), EVERY)
def test_it_comes_back_equal(host, case):
    original = built(host, case)
    text = mixtransforms.to_json(original)
    again = mixtransforms.from_json(text)
    assert state(again) == state(built(host, case))
    assert state(original) == state(again)  # writing leaves it as it was
    assert mixtransforms.to_json(again) == text


@pytest.mark.full
@pytest.mark.parametrize(("host", "case"), [case for case in EVERY if case.id not in HOSTS[case.values[0]].CANNOT_RUN])
def test_a_fresh_process_makes_the_same_of_every_sample(host, case, fresh):
    original = built(host, case)
    text = mixtransforms.to_json(original)
    assert fresh(host)[case] == digests(host, original)
    assert mixtransforms.to_json(original) == text  # what it was run on is no part of it


@pytest.mark.parametrize(("host", "case", "path"), REFUSED)
def test_what_a_file_cannot_hold_is_refused_by_its_place(host, case, path):
    with pytest.raises(mixtransforms.ConfigError, match=re.escape(f"({path})")):
        mixtransforms.to_json(built(host, case))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Digests by case, made by one process a host that knows nothing but the texts."""

    def find(host: str, folder: Path) -> dict[str, Any]:
        texts = {}
        for case in HOSTS[host].CASES:
            try:
                texts[case] = mixtransforms.to_json(built(host, case))
            except mixtransforms.ConfigError:
                continue  # its own tests say so
        path = folder / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        process = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, host, str(path)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "NO_ALBUMENTATIONS_UPDATE": "1"},
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return functools.cache(lambda host: once(tmp_path_factory, f"fresh {host}", functools.partial(find, host)))


def read_and_play(host: str, path: str) -> None:
    """What the fresh process does."""
    found = {}
    for case, text in json.loads(Path(path).read_text(encoding="utf-8")).items():
        if case not in HOSTS[host].CANNOT_RUN:
            try:
                found[case] = digests(host, mixtransforms.from_json(text))
            except Exception as error:  # noqa: BLE001 - of one case among hundreds; the parent compares it
                found[case] = repr(error)
    sys.stdout.write(json.dumps(found))


# That the tests above compare something.


@pytest.mark.full
@pytest.mark.parametrize("host", HOSTS)
def test_cases_change_their_samples_and_most_draw(host):
    cases = HOSTS[host]
    unchanged, drawn = set(), 0
    for case in cases.CASES:
        if case in cases.CANNOT_RUN:
            continue
        transform = built(host, case)
        outputs = {digest(cases.pictures(cases.play(transform, seed))) for seed in cases.SEEDS}
        if outputs == {digest(cases.pictures(cases.sample(transform)))}:
            unchanged.add(case)
        drawn += len(outputs) > 1
    assert unchanged == set(cases.UNCHANGED)
    assert len(cases.CASES) >= 180
    assert len(unchanged) + len(cases.CANNOT_RUN) < 10
    assert drawn > len(cases.CASES) / 2


@pytest.mark.parametrize("host", HOSTS)
def test_every_argument_of_every_class_is_given_and_matters(host):
    pytest.importorskip(host, reason=f"{host} is not installed")
    cases = HOSTS[host]
    wanted = {
        f"{name}.{argument}" for name, cls in cases.classes().items() for argument in inspect.signature(cls).parameters
    }
    given = {found for case in cases.CASES for found in arguments_that_matter(host, case)}
    assert wanted - given == set(cases.CANNOT_DIFFER)
    called = {name for case in cases.CASES for name, _, _ in calls(host, case)}
    assert called == set(cases.classes())
    assert len(set(cases.CASES)) == len(cases.CASES)


def calls(host: str, case: str) -> Iterator[tuple[str, ast.expr, dict[str, ast.expr]]]:
    """Class, function expression and arguments by name, of every construction in a case."""
    cases = HOSTS[host]
    for node in ast.walk(ast.parse(case, mode="eval")):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        cls = cases.classes().get(node.func.attr)
        if cls is not None and ast.unparse(node.func.value) == cases.CHECKED:
            positional = dict(zip(inspect.signature(cls).parameters, node.args, strict=False))
            yield node.func.attr, node.func, positional | {str(item.arg): item.value for item in node.keywords}


def arguments_that_matter(host: str, case: str) -> Iterator[str]:
    """Arguments with another value than the default, without which the state would be another or nothing is built."""
    cases = HOSTS[host]
    for name, function, given in calls(host, case):
        parameters = inspect.signature(cases.classes()[name]).parameters
        whole = state(construct(host, function, given))
        for argument, value in given.items():
            if state(evaluate(host, value)) == state(parameters[argument].default):
                continue
            rest = {key: item for key, item in given.items() if key != argument}
            try:
                differs = state(construct(host, function, rest)) != whole
            except (TypeError, ValueError):  # it is needed
                differs = True
            if differs:
                yield f"{name}.{argument}"


def construct(host: str, function: ast.expr, given: Mapping[str, ast.expr]) -> Any:
    keywords = [ast.keyword(key, value) for key, value in given.items()]
    return evaluate(host, ast.Call(function, [], keywords))


def evaluate(host: str, node: ast.expr) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(compile(ast.fix_missing_locations(ast.Expression(node)), "case", "eval"), HOSTS[host].names())


# What an object is.

PIL_MODES = dict(enumerate(map(repr, ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"))))
"""What a number stands for among torchvision's modes; those of OpenCV stay as different from each other as they are."""

MOMENTARY = (np.random.Generator, random.Random, types.MethodType)
"""What a transform holds and is not: its generators, and methods, which are bound to itself."""


def state(value: Any, key: str = "") -> Any:
    """A transform, or anything that it holds, as plain data to compare.

    Lists are as tuples, enums as what they stand for, whole numbers as floats of that value: hosts themselves turn 0 into
    0.0 and back. A boolean is no number.
    """
    if isinstance(value, enum.Enum):
        return state(value.value)
    if isinstance(value, np.generic):
        return state(value.item(), key)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return PIL_MODES.get(value, value) if key == "interpolation" else value
    if isinstance(value, Mapping):
        return {state(name): state(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ModuleList":  # files have one kind of list
        return [state(item) for item in value]
    if isinstance(value, Set):
        return sorted(map(state, value), key=repr)
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.ndarray) or hasattr(value, "untyped_storage"):
        return f"{value.dtype} {tuple(value.shape)} {value.tolist()!r}"
    if not hasattr(value, "__dict__"):
        return repr(value)
    held = {name: state(item, name) for name, item in vars(value).items() if not isinstance(item, MOMENTARY)}
    held.pop("_key2func", None)  # methods by name
    held |= {name: state(item) for name, item in vars(value).get("_modules", {}).items()}
    held.pop("_modules", None)
    written = state(value.to_dict()) if hasattr(value, "to_dict") else None  # of Albumentations, by the host itself
    return [state(type(value)), held, written]


# What an object does.


def digests(host: str, transform: Any) -> list[str]:
    """What a transform makes of its sample, once a seed."""
    return [digest(HOSTS[host].play(transform, seed)) for seed in HOSTS[host].SEEDS]


def digest(value: Any) -> str:
    return hashlib.sha256(repr(described(value)).encode()).hexdigest()


def described(value: Any) -> Any:
    """A value to the bit, and what tensors know of themselves."""
    if isinstance(value, Mapping):
        return [(key, described(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if hasattr(value, "untyped_storage"):
        import torch

        plain = value.as_subclass(torch.Tensor).contiguous().flatten().view(torch.uint8)
        return type(value).__name__, value.dtype, tuple(value.shape), vars(value), plain.numpy().tobytes()
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if hasattr(value, "tobytes") and hasattr(value, "mode"):  # a PIL image
        return value.mode, value.size, value.tobytes()
    return value


if __name__ == "__main__":
    read_and_play(*sys.argv[1:])
