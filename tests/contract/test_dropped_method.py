"""A method is one file: dropped into a copy of the package, it is at all doors, in files, and in the stubs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mixtransforms

PACKAGE = Path(mixtransforms.__file__).parent
STUBS = Path(__file__).parents[1] / "test_public_names.py"

METHOD = '''"""HalfMix: the left half of one sample, the right half of another."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.authoring import NO_HINTS, BatchSpec, Boxes, Hints, PairMethod, Plan, now, number, register


@register
@dataclass(frozen=True, repr=False)
class HalfMix(PairMethod):
    """Takes the right part from the partner."""

    part: float = number(0.5, low=0, high=1, doc="How much of the width is the partner's.")

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        pairs = self.pairs(spec, rng, hints)
        height, width = spec.shape
        full = Boxes.full(len(pairs.rows), spec.shape)
        right = Boxes(full.start + [0, width - int(now(self.part) * width)], full.stop)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), right)
'''

USE = """
import importlib.util, inspect, multiprocessing, pickle, pydoc, sys
import numpy as np
import mixtransforms
from mixtransforms import HalfMix, methods

def parts(door, **options):
    transform = door.HalfMix(0.25, num_classes=3, **options)
    assert isinstance(transform, methods.HalfMix) and isinstance(transform, mixtransforms.mixing.transform.MixTransform)
    assert repr(transform) == "HalfMix(part=0.25, num_classes=3)", repr(transform)
    signature = inspect.signature(door.HalfMix)
    assert signature.parameters["part"].default == 0.5 and signature.parameters["part"].annotation is float
    text = " ".join(door.HalfMix.__doc__.split())
    assert "part: How much of the width is the partner's. Accepts a number within [0, 1], or a schedule" in text
    assert "class HalfMix" in pydoc.plain(pydoc.render_doc(door.HalfMix))
    assert pickle.loads(pickle.dumps(door.HalfMix)) is door.HalfMix
    again = mixtransforms.from_json(mixtransforms.to_json(transform))
    assert type(again) is door.HalfMix and repr(again) == repr(transform)
    choice = mixtransforms.from_json(mixtransforms.to_json(door.OneOf([methods.HalfMix(), methods.MixUp()])))
    assert type(choice.transforms[0]) is methods.HalfMix
    return transform

if __name__ == "__main__":
    assert "HalfMix" in mixtransforms.__all__ and "HalfMix" in dir(mixtransforms) and "HalfMix" in methods.__all__
    found = [parts(mixtransforms)]
    images, labels = np.zeros((4, 4, 8, 3), np.float32), np.arange(4) % 3
    images[:] = np.arange(4)[:, None, None, None]
    mixed, soft = found[0](images, labels)
    assert (mixed[:, :, :6] == images[:, :, :6]).all() and (mixed[:, :, 6:] != images[:, :, 6:]).all()
    assert (soft[np.arange(4), labels] >= 0.75).all() and np.allclose(soft.sum(axis=1), 1)
    hosts = [host for host in sys.argv[1:] if importlib.util.find_spec(host)]
    if "torchvision" in hosts:
        import torch
        import mixtransforms.torchvision as door
        found.append(parts(door))
        assert isinstance(found[-1], torch.nn.Module) and "HalfMix" in door.__all__
    if "albumentations" in hosts:
        import albumentations as A
        import mixtransforms.albumentations as door
        found.append(parts(door))
        written = A.to_dict(A.Compose([found[-1]]))
        assert A.from_dict(written).transforms[0].part == 0.25 and "HalfMix" in door.__all__
    assert not hosts or any(name.endswith("HalfMix") for name in mixtransforms.json_schema()["$defs"])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(repr, found) == ["HalfMix(part=0.25, num_classes=3)"] * len(found)
"""


def run(copy: Path, *arguments: str) -> str:
    """What Python prints, of the copy."""
    given = {**os.environ, "PYTHONPATH": str(copy), "NO_ALBUMENTATIONS_UPDATE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=given, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one file more."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "mixtransforms", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "mixtransforms" / "methods" / "halfmix.py").write_text(METHOD, encoding="utf-8")
    return folder


@pytest.mark.parametrize("hosts", [(), pytest.param(("torchvision", "albumentations"), marks=pytest.mark.full)])
def test_a_method_is_at_every_door(copy: Path, hosts: tuple[str, ...]) -> None:
    (copy / "use.py").write_text(USE, encoding="utf-8")  # a file, since spawned processes load it again
    run(copy, "use.py", *hosts)


def test_a_stub_gets_one_line(copy: Path) -> None:
    run(copy, str(STUBS))
    stubs = [stub for stub in PACKAGE.rglob("*.pyi") if stub.name != "authoring.pyi"]  # which names no method
    assert len(stubs) == 4
    for stub in stubs:
        before = stub.read_text(encoding="utf-8").splitlines()
        after = (copy / "mixtransforms" / stub.relative_to(PACKAGE)).read_text(encoding="utf-8").splitlines()
        (line,) = [line for line in after if line not in before]
        assert [other for other in after if other != line] == before
        assert "HalfMix" in line
