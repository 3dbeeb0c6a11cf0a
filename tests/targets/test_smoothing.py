"""Label smoothing in the mix: the formula of the losses that smooth, for soft labels alone."""

import re
from typing import Any

import numpy as np
import pytest
from forms import host
from plans import BACKENDS, PLANS, follow, given, mixed

import mixtransforms
from mixtransforms import CutMix, InputError, Label, MixUp, MultiLabel, OneOf, ParameterError, Plan, from_dict, to_dict

IMAGES = np.zeros((4, 6, 5, 3), np.float32)
IDS = np.array([2, 0, 2, 1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("form", ["ids", "one-hot", "soft"])
def test_every_class_gets_its_part(form: str, plan: Plan, backend: str) -> None:
    ids = IDS[: plan.size]
    rows = np.eye(3)[ids] if form != "soft" else np.random.default_rng(0).dirichlet([1, 1, 1], plan.size)
    value = given(ids, "int64", backend) if form == "ids" else given(rows, "float32", backend)
    smooth = host(mixed(Label(3, smoothing=0.3), plan, value).value)
    table = follow(plan) @ rows if plan.size else np.zeros((0, 3))
    np.testing.assert_allclose(smooth, 0.7 * table + 0.1 * table.sum(axis=1, keepdims=True), atol=1e-6)
    assert smooth.dtype == np.float32
    assert type(mixed(Label(3, smoothing=0.3), plan, value).value) is type(mixed(Label(3), plan, value).value)


@pytest.mark.parametrize("smoothing", [0.1, 0.6])
def test_losses_of_smoothed_labels_are_smoothing_losses(smoothing: float) -> None:
    """torch's cross entropy smooths ids and soft labels by the same formula: smoothing may move from one to the other."""
    torch = pytest.importorskip("torch")
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    images, ids = torch.zeros(4, 3, 6, 5), torch.from_numpy(IDS)
    mixes = [MixUp(1.0, num_classes=3, seed=0, **more) for more in ({}, {"smoothing": smoothing})]
    plain, smooth = (mix(images, ids)[1] for mix in mixes)
    inside = torch.nn.functional.cross_entropy(logits, plain, label_smoothing=smoothing)
    torch.testing.assert_close(torch.nn.functional.cross_entropy(logits, smooth), inside)


def test_what_has_no_label_gets_none() -> None:
    mix = MixUp(num_classes=3, ignore_index=-1, smoothing=0.3, p=0.0)
    _, labels = mix(IMAGES, np.array([0, -1, 2, 1]))
    np.testing.assert_allclose(labels, [[0.8, 0.1, 0.1], [0, 0, 0], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]], atol=1e-6)


def test_originals_are_smoothed_as_the_mixed_are_and_nothing_is_after_eval() -> None:
    torch = pytest.importorskip("torch")
    door = pytest.importorskip("mixtransforms.torchvision")
    images, ids = torch.zeros(4, 3, 6, 5), torch.from_numpy(IDS)
    both = door.MixUp(num_classes=3, smoothing=0.3, keep_originals=True, seed=0)
    _, labels = both(images, ids)
    one_hot = torch.eye(3)[ids]
    torch.testing.assert_close(labels[:4], 0.7 * one_hot + 0.1)
    torch.testing.assert_close(labels.sum(1), torch.ones(8))
    assert (labels.amin(1) >= 0.1 - 1e-6).all()
    assert both.eval()(images, ids)[1].tolist() == torch.cat([one_hot, one_hot]).tolist()
    assert both.train()(images, ids)[1].amin() >= 0.1 - 1e-6


def test_a_declared_kind_says_otherwise() -> None:
    mix = MixUp(
        num_classes=3, smoothing=0.3, p=0.0, kinds={"clean": Label(3, smoothing=0.0), "half": Label(3, smoothing=0.5)}
    )
    out = mix(image=IMAGES, label=IDS, clean=IDS, half=IDS)
    np.testing.assert_allclose(out["label"].min(axis=1), 0.1, atol=1e-6)
    np.testing.assert_allclose(out["clean"], np.eye(3)[IDS])
    np.testing.assert_allclose(out["half"].min(axis=1), 0.5 / 3, atol=1e-6)


@pytest.mark.parametrize("door", ["torchvision", "albumentations"])
def test_doors_and_choices(door: str) -> None:
    module = pytest.importorskip(f"mixtransforms.{door}")
    mix = module.OneOf([module.MixUp(), module.CutMix()], num_classes=3, smoothing=0.3, seed=0)
    if door == "torchvision":
        torch = pytest.importorskip("torch")
        labels = mix(torch.zeros(4, 3, 6, 5), torch.from_numpy(IDS))[1].numpy()
    else:
        labels = mix(images=IMAGES, labels=IDS)["labels"]
    assert (labels >= 0.1 - 1e-6).all()
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


def test_files_hold_it_where_it_is_used() -> None:
    assert "smoothing" not in to_dict(MixUp(num_classes=3))["pipeline"]["args"]
    mix = MixUp(num_classes=3, smoothing=0.1, kinds={"fine": Label(100, smoothing=0.2)})
    again = from_dict(to_dict(mix))
    assert (again.smoothing, again.kinds["fine"].smoothing) == (0.1, 0.2)
    assert mixtransforms.fingerprint(mix) == mixtransforms.fingerprint(again)
    inside = OneOf([MixUp(smoothing=0.1), CutMix(smoothing=0.1)], num_classes=3)
    assert inside.smoothing == 0.1


PAIRS: dict[str, dict[str, Any]] = {
    "labels": {"labels": "pair", "smoothing": 0.1},
    "labels ": {"labels": "mix", "smoothing": 0.1},
    "kinds['fine']": {"smoothing": 0.1, "kinds": {"fine": Label(form="pair")}},
    "kinds['coarse']": {"labels": "pair", "kinds": {"coarse": Label(smoothing=0.1)}},
}


@pytest.mark.parametrize(("where", "options"), PAIRS.items(), ids=PAIRS)
def test_pairs_are_smoothed_in_the_loss(where: str, options: dict[str, Any]) -> None:
    with pytest.raises(
        ParameterError, match=rf"Only soft labels .*MixUp\.{re.escape(where.strip())}.*'(pair|mix)'.*label_smoothing"
    ):
        MixUp(**options)
    MixUp(**{**options, "labels": "pair", "smoothing": 0.0, "kinds": None})


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, np.nan, True, "0.1", None], ids=repr)
def test_other_values_are_refused(smoothing: Any) -> None:
    with pytest.raises(ParameterError, match=r"Bad value for 'smoothing' .*within \[0, 1\]"):
        MixUp(smoothing=smoothing)


def test_nothing_to_smooth_is_said() -> None:
    for mix, batch in (
        (MixUp(smoothing=0.1), (IMAGES,)),
        (MixUp(smoothing=0.1, kinds={1: MultiLabel()}), (IMAGES, np.eye(4))),
    ):
        with pytest.raises(
            InputError, match=r"No labels found .*smoothing=0.1, .*labels of classes.*leave smoothing out"
        ):
            mix(*batch)
    MixUp(kinds={1: MultiLabel()})(IMAGES, np.eye(4))
