"""Given the weight and box that timm drew, our result is timm's, which pairs the batch with itself reversed."""

from typing import Any

import numpy as np
import pytest
from forms import Form, bits

from mixtransforms import BatchSpec, Boxes, CutMix, Layer, MixUp, Plan

torch = pytest.importorskip("torch", reason="torch is not installed")
timm = pytest.importorskip("timm.data.mixup", reason="timm is not installed")

SIZE, SHAPE, CLASSES = 6, (13, 29), 4


@pytest.fixture
def batch() -> tuple[Any, Any]:
    images = Form("torch").build(np.random.default_rng(0).random((SIZE, *SHAPE, 3)))
    return images, torch.arange(SIZE) % CLASSES


class Recorder(timm.Mixup):
    """timm's mix, which keeps what it drew."""

    def _params_per_batch(self) -> Any:
        self.lam, self.cut = super()._params_per_batch()
        return self.lam, self.cut

    def _params_per_elem(self, size: int) -> Any:
        lam, self.cut = super()._params_per_elem(size)
        self.lam = lam.copy()
        return lam, self.cut


def mirrored(values: Any) -> np.ndarray:
    return np.concatenate([values, values[::-1]])


def plan_of(opacity: Any) -> Plan:
    rows = np.arange(SIZE)
    return Plan(BatchSpec(SIZE, SHAPE), (Layer(rows, rows[::-1], np.broadcast_to(opacity, SIZE)),))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mode", ["batch", "pair", "elem"])
def test_mixup(mode: str, seed: int, batch: tuple[Any, Any]) -> None:
    np.random.seed(seed)  # noqa: NPY002 -- timm draws from the global generator
    theirs = Recorder(mixup_alpha=1.0, mode=mode, label_smoothing=0.0, num_classes=CLASSES)
    images, labels = theirs(batch[0].clone(), batch[1])
    lam = mirrored(theirs.lam) if mode == "pair" else theirs.lam
    ours, rows = MixUp(num_classes=CLASSES).replay(plan_of(1 - np.asarray(lam, float)), *batch)
    torch.testing.assert_close(ours, images, rtol=0, atol=2**-22)
    torch.testing.assert_close(rows, labels, rtol=0, atol=2**-22)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("minmax", [None, (0.2, 0.8)])
def test_cutmix(minmax: Any, seed: int, batch: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    np.random.seed(seed)  # noqa: NPY002 -- timm draws from the global generator
    boxes, theirs = [], timm.cutmix_bbox_and_lam
    monkeypatch.setattr(
        timm, "cutmix_bbox_and_lam", lambda *args, **named: boxes.append(theirs(*args, **named)) or boxes[-1]
    )
    mix = timm.Mixup(mixup_alpha=0.0, cutmix_alpha=1.0, cutmix_minmax=minmax, label_smoothing=0.0, num_classes=CLASSES)
    images, labels = mix(batch[0].clone(), batch[1])
    (top, bottom, left, right), lam = boxes[0]
    rows = np.arange(SIZE)
    box = Boxes(np.tile([top, left], (SIZE, 1)), np.tile([bottom, right], (SIZE, 1)))
    plan = Plan(BatchSpec(SIZE, SHAPE), (Layer(rows, rows[::-1], np.ones(SIZE), box),))
    np.testing.assert_allclose(plan.weight, lam, atol=1e-12)
    ours, soft = CutMix(num_classes=CLASSES).replay(plan, *batch)
    assert bits(ours) == bits(images)
    torch.testing.assert_close(soft, labels, rtol=0, atol=2**-22)


@pytest.mark.parametrize(("ours", "theirs"), [("batch", "batch"), ("pair", "pair"), ("sample", "elem")])
def test_the_same_kinds_of_plan(ours: str, theirs: str, batch: tuple[Any, Any]) -> None:
    """``pairing="flip"`` with our ``per`` is timm's ``mode``."""
    plan = MixUp(alpha=1.0, per=ours, pairing="flip", seed=0).plan(batch[0])
    np.testing.assert_array_equal(plan.partner, np.arange(SIZE)[::-1])
    distinct = {"batch": 1, "pair": SIZE // 2, "elem": SIZE}[theirs]
    assert len(set(plan.weight.tolist())) == distinct


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("lam", [0.0, 0.3, 1.0])
def test_smoothed_labels(smoothing: float, lam: float, batch: tuple[Any, Any]) -> None:
    """Off is smoothing / K, on is 1 - smoothing more; also where nothing is mixed."""
    wanted = timm.mixup_target(batch[1], CLASSES, lam, smoothing)
    _, ours = MixUp(num_classes=CLASSES, smoothing=smoothing).replay(plan_of(1 - lam), *batch)
    torch.testing.assert_close(ours, wanted, rtol=0, atol=2**-22)
