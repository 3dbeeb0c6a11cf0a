"""Remix: pixels of MixUp, labels by how frequent the classes of both are."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, InputError, MixUp, OneOf, ParameterError, Ramp, Remix, from_dict, to_dict
from mixtransforms.laws import Constant

IMAGES = np.eye(6, dtype=np.float32)[:, None, None, :].repeat(5, 1).repeat(7, 2)


def published(weight: float, own: int, partner: int, kappa: float = 3.0, tau: float = 0.5) -> float:
    """Equation 8 of the paper, in its own words: a ratio of counts, in fractions."""
    ratio = Fraction(own, partner)
    if ratio >= Fraction(kappa) and weight < tau:
        return 0.0
    if ratio <= 1 / Fraction(kappa) and 1 - weight < tau:
        return 1.0
    return weight


CASES = [
    # own, partner, weight, kappa, tau, share
    (300, 100, 0.4, 3.0, 0.5, 0.0),  # exactly kappa times as many: the rarer partner gets all
    (299, 100, 0.4, 3.0, 0.5, 0.4),
    (100, 300, 0.6, 3.0, 0.5, 1.0),  # and the other way round
    (100, 299, 0.6, 3.0, 0.5, 0.6),
    (300, 100, 0.5, 3.0, 0.5, 0.5),  # a weight of exactly tau is not below it
    (100, 300, 0.5, 3.0, 0.5, 0.5),
    (300, 100, 0.6, 3.0, 0.5, 0.6),  # more frequent, and dominant in the picture
    (100, 300, 0.4, 3.0, 0.5, 0.4),
    (100, 100, 0.1, 3.0, 0.5, 0.1),
    (900, 3, 0.99, 3.0, 1.0, 0.0),
    (900, 3, 1.0, 3.0, 1.0, 1.0),
    (900, 3, 0.0, 3.0, 0.0, 0.0),
    (900, 3, 0.1, 3.0, 0.0, 0.1),  # tau = 0 is MixUp
    (10, 10, 0.2, 1.0, 0.5, 0.0),  # kappa = 1: equal counts are frequent and rare at once
    (10, 10, 0.8, 1.0, 0.5, 1.0),
    (7, 2, 0.2, 3.5, 0.5, 0.0),
]


@pytest.mark.parametrize(("own", "partner", "weight", "kappa", "tau", "share"), CASES)
def test_shares_of_labels(own: int, partner: int, weight: float, kappa: float, tau: float, share: float) -> None:
    assert published(weight, own, partner, kappa, tau) == share
    mix = Remix([own, partner], kappa=kappa, tau=tau, weight=Constant(weight), num_classes=2, pairing="flip", seed=0)
    images, labels = mix(IMAGES[:2], np.array([0, 1]))
    np.testing.assert_allclose(images[0, 0, 0, :2], [weight, 1 - weight], atol=1e-6)
    np.testing.assert_allclose(labels[0], [share, 1 - share], atol=1e-6)
    np.testing.assert_allclose(labels[1], [1 - (r := published(weight, partner, own, kappa, tau)), r], atol=1e-6)


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("size", [0, 1, 2, 5, 64])
def test_pixels_are_those_of_mixup_and_labels_those_of_the_paper(per: str, size: int) -> None:
    rng = np.random.default_rng(size)
    counts, classes = [500, 170, 60, 20, 7, 2], rng.integers(0, 6, size)
    hints = {"classes": classes}
    plan = Remix(counts, per=per, p=0.8).method.draw(BatchSpec(size, (5, 7)), np.random.default_rng(1), hints)
    plain = MixUp(1.0, per=per, p=0.8).method.draw(BatchSpec(size, (5, 7)), np.random.default_rng(1))
    assert plan.layers == plain.layers
    for row in range(size):
        source = int(plan.partner[row])
        wanted = 1.0
        if source != row:
            wanted = published(plan.weight[row], counts[classes[row]], counts[classes[source]])
        assert plan.target_share[row, 0] == wanted
        assert plan.target_share[row].sum() == pytest.approx(1)


def test_equal_counts_are_mixup() -> None:
    given = IMAGES, np.arange(6)
    first, second = Remix([5] * 6, num_classes=6, seed=3)(*given), MixUp(1.0, num_classes=6, seed=3)(*given)
    assert all((one == other).all() for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("labels", ["ids", "one-hot", "soft"])
def test_every_form_of_labels_tells_classes(backend: str, labels: str) -> None:
    images: Any = IMAGES
    rows = {"ids": np.arange(6), "one-hot": np.eye(6, dtype=np.int64), "soft": 0.1 + np.eye(6, dtype=np.float32) * 0.4}
    given: Any = rows[labels]
    if backend == "torch":
        torch = pytest.importorskip("torch")
        images, given = torch.from_numpy(IMAGES.transpose(0, 3, 1, 2).copy()), torch.from_numpy(given)
    mix = Remix([1000, 1, 1000, 1, 1000, 1], num_classes=6, pairing="roll", seed=1)
    plan = mix.plan(images, given)
    shares = plan.target_share[:, 0]
    assert 0.0 in shares
    assert 1.0 in shares
    _, mixed = mix.replay(plan, images, given)
    wanted = shares[:, None] * rows["soft" if labels == "soft" else "one-hot"]
    wanted = wanted + (1 - shares)[:, None] * rows["soft" if labels == "soft" else "one-hot"][plan.partner]
    np.testing.assert_allclose(np.asarray(mixed), wanted, atol=1e-6)


@pytest.mark.parametrize("door", ["torchvision", "albumentations"])
def test_at_both_doors_and_as_a_pair(door: str) -> None:
    module = pytest.importorskip(f"mixtransforms.{door}")
    mix = module.Remix([100, 1], weight=Constant(0.3), labels="pair", pairing="flip", seed=0)
    if door == "torchvision":
        torch = pytest.importorskip("torch")
        _, (label, partner, weight) = mix(torch.zeros(2, 3, 4, 6), torch.tensor([0, 1]))
    else:
        result = mix(images=np.zeros((2, 4, 6, 3), np.uint8), labels=np.array([0, 1]))
        label, partner, weight = result["labels"]
    assert np.asarray(label).tolist() == [0, 1]
    assert np.asarray(partner).tolist() == [1, 0]
    np.testing.assert_allclose(np.asarray(weight), [0.0, 0.3])


def test_samples_without_a_label_are_neither_frequent_nor_rare() -> None:
    mix = Remix([100, 1], weight=Constant(0.3), num_classes=2, ignore_index=-1, pairing="roll", seed=0)
    _, labels = mix(IMAGES[:3], np.array([0, -1, 1]))
    np.testing.assert_allclose(labels, [[0.0, 1.0], [0.7, 0.0], [0.0, 0.3]], atol=1e-6)


def test_files_and_epochs() -> None:
    mix = Remix(np.array([30, 10, 1]), tau=Ramp(0.0, 0.5, 0, 2), num_classes=3)
    assert mix.counts == (30, 10, 1)
    again = from_dict(to_dict(mix))
    assert repr(again) == repr(mix)
    inside = from_dict(to_dict(OneOf([Remix([3, 1]), MixUp()], num_classes=2)))
    assert inside.transforms[0].counts == (3, 1)
    plan = mix.method.at(0).draw(BatchSpec(9, (2, 2)), np.random.default_rng(0), {"classes": np.arange(9) % 3})
    np.testing.assert_array_equal(plan.target_share, plan.share)


def test_a_choice_keeps_the_declared_shares() -> None:
    mix = OneOf([Remix([100, 1], weight=Constant(0.3), pairing="flip")], num_classes=2, seed=0)
    _, labels = mix(IMAGES[:2], np.array([0, 1]))
    np.testing.assert_allclose(labels, [[0, 1], [0.7, 0.3]], atol=1e-6)


BAD = {
    "none": ([], "a list of whole numbers"),
    "zeros": ([0, 0], "not all 0"),
    "negative": ([3, -1], "a list of whole numbers"),
    "floats": ([0.5, 0.5], "a list of whole numbers"),
    "bools": ([True, False], "a list of whole numbers"),
    "text": ("12", "a list of whole numbers"),
    "a number": (12, "a list of whole numbers"),
}


@pytest.mark.parametrize(("counts", "match"), BAD.values(), ids=BAD)
def test_bad_counts(counts: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=f"Bad value for 'counts' .*{match}"):
        Remix(counts)


def test_classes_without_a_count_are_refused_and_the_way_out_leads_on() -> None:
    labels = np.array([0, 1, 2, 2, 1, 0])
    for counts in ([3, 4], [3, 4, 0]):
        with pytest.raises(InputError, match=r"Classes without a count .*\[2\] in rows \[2, 3\].*np.bincount"):
            Remix(counts, num_classes=3)(IMAGES, labels)
    Remix(np.bincount(labels, minlength=3), num_classes=3)(IMAGES, labels)


def test_labels_are_asked_for() -> None:
    with pytest.raises(InputError, match=r"Remix reads class labels .*use MixUp, which needs none"):
        Remix([1, 2])(IMAGES)


@pytest.mark.parametrize("options", [{"kappa": 0.5}, {"tau": 1.5}, {"alpha": 0.4, "weight": Constant(0.5)}], ids=str)
def test_bad_parameters(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"Bad value for|Two laws of the weight"):
        Remix([1, 2], **options)
