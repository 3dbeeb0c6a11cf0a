"""The straight way of later batches of a structure: mixed as by plan and replay, and refused as the first one.

Plans are drawn and replayed by the general way, which is the oracle.
"""

import gc
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import mixtransforms.albumentations as for_albumentations
import mixtransforms.torchvision as for_torchvision
from mixtransforms import CutMix, InputError, MixUp, MultiLabel, OneOf, Regression, ResizeMix, methods
from mixtransforms.mixing.straight import Straight
from mixtransforms.targets.label import Label

RNG = np.random.default_rng(0)
IMAGES = RNG.random((5, 3, 6, 4), np.float32)
IDS = np.array([0, 3, 2, 3, 1])
ROWS = np.eye(4, dtype=np.float32)[IDS]
MASKS = RNG.integers(0, 4, (5, 6, 4))


def tensors(value: Any) -> Any:
    """The same with tensors in the place of arrays, in memory of their own."""
    if isinstance(value, dict):
        return {name: tensors(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(tensors, value))
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


BATCHES: dict[str, tuple[Any, dict[str, Any]]] = {
    # name: the batch, channels first, and what the transform has to be told
    "ids": ((IMAGES, IDS), {"num_classes": 4}),
    "ids of 32 bits in a list": ([IMAGES, IDS.astype(np.int32)], {"num_classes": 4}),
    "ignored ids": ((IMAGES, np.where(IDS == 3, -1, IDS)), {"num_classes": 4, "ignore_index": -1}),
    "smoothed": ((IMAGES, IDS), {"num_classes": 4, "smoothing": 0.1}),
    "by name, beside texts": ({"image": IMAGES, "name": list("abcde"), "label": IDS}, {"num_classes": 4}),
    "nested": ({"left": {"image": IMAGES}, "right": {"image": IMAGES[::-1] * 2}, "label": IDS}, {"num_classes": 4}),
    "rows": ((IMAGES, ROWS), {}),
    "rows of whole numbers": ((IMAGES, ROWS.astype(np.int64)), {}),
    "pairs": ((IMAGES, IDS), {"labels": "pair"}),
    "mixes": ((IMAGES, IDS), {"labels": "mix"}),
    "masks": ({"image": IMAGES, "mask": MASKS}, {"masks": "dominant"}),
    "masks with a partner beside them": ({"image": IMAGES, "mask": MASKS}, {"masks": "pair"}),
    "numbers": ((IMAGES, RNG.random((5, 2))), {"kinds": {1: Regression()}}),
    "several labels": ((IMAGES, ROWS > 0), {"kinds": {1: MultiLabel(union=True)}}),
    "bytes": (((IMAGES * 255).astype(np.uint8), IDS), {"num_classes": 4}),
    "images alone": (IMAGES, {}),
    "no sample": ((IMAGES[:0], IDS[:0]), {"num_classes": 4}),
    "one sample": ((IMAGES[:1], IDS[:1]), {"num_classes": 4}),
}

METHODS: dict[str, Any] = {
    "MixUp": (MixUp, {}),
    "MixUp of one weight": (MixUp, {"per": "batch"}),
    "MixUp with gaps": (MixUp, {"p": 0.6}),
    "MixUp of pairs": (MixUp, {"per": "pair"}),
    "CutMix": (CutMix, {}),
    "CutMix of one box": (CutMix, {"per": "batch"}),
    "CutMix of declared weights": (CutMix, {"correct_weight": False}),
    "ResizeMix": (ResizeMix, {}),
    "OneOf": (OneOf, {"transforms": [MixUp(), CutMix()]}),
}


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [part for name in value for part in (name, *flat(value[name]))]
    if isinstance(value, (list, tuple)):
        return [type(value), *(part for item in value for part in flat(item))]
    return [type(value), value.dtype, np.asarray(value).tolist()] if hasattr(value, "dtype") else [value]


@pytest.fixture
def taken(monkeypatch):
    """How many batches went the straight way."""
    count: list[int] = []
    own = Straight.mixed
    monkeypatch.setattr(Straight, "mixed", lambda *given: (count.append(1), own(*given))[1])
    return count


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("method", METHODS)
def test_later_batches_are_mixed_as_by_plan_and_replay(method, batch, backend, taken):
    (cls, own), (given, options) = METHODS[method], BATCHES[batch]
    new = (lambda value: value) if backend == "numpy" else tensors
    straight, general = (cls(**own, **options, layout="channels_first", seed=5) for _ in range(2))
    for number in range(3):
        batch_of_now = new(given)
        plan = general.plan(batch_of_now)
        wanted = general.replay(plan, batch_of_now)
        assert flat(straight(new(given))) == flat(wanted)
        assert len(taken) == number, "the first batch of a structure goes the general way, and no other"


def leaf(images: Any) -> Any:
    return images.clone().requires_grad_()


def inferred(images: Any) -> Any:
    with torch.inference_mode():
        return images.clone()


BAD = {
    # what is wrong: options, a good batch, a bad one of the same structure
    "an id above": ({"num_classes": 4}, (IMAGES, IDS), (IMAGES, IDS + 1)),
    "an id below": ({"num_classes": 4}, (IMAGES, IDS), (IMAGES, IDS - 1)),
    "an id below, of pairs": ({"labels": "pair"}, (IMAGES, IDS), (IMAGES, IDS - 1)),
    "an id above, beside ignored ones": ({"num_classes": 4, "ignore_index": 9}, (IMAGES, IDS), (IMAGES, IDS * 2)),
    "a byte above": ({"num_classes": 4}, (IMAGES, IDS.astype(np.uint8)), (IMAGES, (IDS + 1).astype(np.uint8))),
    "rows above 1": ({}, (IMAGES, ROWS), (IMAGES, ROWS * 2)),
    "rows that are no numbers": ({}, (IMAGES, ROWS), (IMAGES, ROWS * np.float32(np.nan))),
    "whole numbers that are not one-hot": ({}, (IMAGES, (ROWS > 0) * 1), (IMAGES, (ROWS > 0) * 2)),
    "several labels below": ({"kinds": {1: "multilabel"}}, (IMAGES, ROWS), (IMAGES, -ROWS)),
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_values_of_later_batches_are_refused(case, backend, method, taken):
    options, good, bad = BAD[case]
    if backend == "torch":
        good, bad = tensors(good), tensors(bad)
    used, new = (method(**options, layout="channels_first", seed=1) for _ in range(2))
    used(good), used(good)
    with pytest.raises(InputError) as first:
        new(bad)
    before = used.stream_state()
    with pytest.raises(InputError) as later:
        used(bad)
    assert len(taken) == 2
    assert str(later.value) == str(first.value)
    assert used.stream_state() == before, "what is refused draws nothing"


READ_ONLY = IMAGES.copy()
READ_ONLY.flags.writeable = False

BAD_MEMORY = {
    "read-only": ((IMAGES.copy(), IDS), (READ_ONLY, IDS)),
    "windows": ((IMAGES.copy(), IDS), (np.lib.stride_tricks.as_strided(IMAGES, IMAGES.shape, (4, 4, 4, 4)), IDS)),
    "a leaf": (tensors((IMAGES, IDS)), (leaf(tensors(IMAGES)), tensors(IDS))),
    "expanded": (tensors((IMAGES, IDS)), (tensors(IMAGES)[:1].expand(5, 3, 6, 4), tensors(IDS))),
    "of inference": (tensors((IMAGES, IDS)), (inferred(tensors(IMAGES)), tensors(IDS))),
}


@pytest.mark.parametrize("case", BAD_MEMORY)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_memory_of_later_batches_that_cannot_be_overwritten_is_refused(case, method, taken):
    good, bad = BAD_MEMORY[case]
    transform = method(num_classes=4, layout="channels_first", inplace=True)
    transform(good), transform(good)
    with pytest.raises(InputError, match="Cannot be overwritten"):
        transform(bad)
    assert len(taken) == 2


def test_two_names_for_one_memory_are_refused(taken):
    one, other = tensors(IMAGES), tensors(IMAGES)
    transform = MixUp(kinds={"left": "image", "right": "image"}, inplace=True)
    transform(left=one, right=other), transform(left=one, right=other)
    with pytest.raises(InputError, match="Two names for one memory"):
        transform(left=one, right=one)
    assert len(taken) == 2


def test_images_are_overwritten_in_place():
    for images in (IMAGES.copy(), tensors(IMAGES)):
        transform, other = (MixUp(num_classes=4, layout="channels_first", seed=2, inplace=own) for own in (True, False))
        ids = IDS if isinstance(images, np.ndarray) else tensors(IDS)
        for _ in range(3):
            before = images.copy() if isinstance(images, np.ndarray) else images.clone()
            mixed, _ = transform(images, ids)
            assert mixed is images
            np.testing.assert_array_equal(images, other(before, ids)[0])


def test_what_passed_while_mixing_was_off_is_refused_once_it_is_on():
    numbers, ids = torch.arange(20).reshape(5, 1, 2, 2), tensors(IDS)
    transform = for_torchvision.MixUp(num_classes=4).eval()
    transform(numbers, ids), transform(numbers, ids)
    with pytest.raises(InputError, match="cannot be blended"):
        transform.train()(numbers, ids)
    with pytest.raises(InputError, match="cannot be blended"):
        transform(numbers, ids)


def test_mixing_can_be_switched_off_and_on(taken):
    images, ids = tensors((IMAGES, IDS))
    transform = for_torchvision.MixUp(num_classes=4)
    transform(images, ids), transform(images, ids)
    assert torch.equal(transform.eval()(images, ids)[0], images)
    assert not torch.equal(transform.train()(images, ids)[0], images)
    assert len(taken) == 2


def test_gradients_and_pending_signs_go_through(taken):
    images, ids = tensors((IMAGES, IDS))
    followed, wanted, signed = (for_torchvision.MixUp(num_classes=4, seed=3) for _ in range(3))
    for transform in (followed, wanted, signed):
        transform(images, ids)
    mixed, rows = followed(leaf(images), ids)
    plain, also = wanted(images, ids)
    assert mixed.requires_grad
    assert torch.allclose(mixed, plain)
    assert torch.equal(rows, also)
    negative = torch._neg_view(-images)
    assert negative.is_neg()
    assert torch.allclose(signed(negative, ids)[0], plain)
    assert len(taken) == 3


class Odd(Label):
    """A user's own labels, whose odd ids are refused."""

    def check(self, value, where, scene):
        super().check(value, where, scene)
        if (value % 2).any():
            raise InputError("Odd", where=where, got="odd", wanted="even", fix="Double them.")


def test_checks_of_a_users_own_kind_are_made_in_every_call(taken):
    transform = MixUp(kinds={1: Odd(num_classes=9)}, layout="channels_first")
    transform(IMAGES, IDS * 2), transform(IMAGES, IDS * 2)
    with pytest.raises(InputError, match="Odd"):
        transform(IMAGES, IDS)
    assert len(taken) == 2


@dataclass(frozen=True, repr=False)
class Loud(methods.MixUp):
    """A user's own method, which may draw anything."""


def test_methods_of_the_users_own_go_the_general_way(taken):
    transform = OneOf([Loud()], num_classes=4, layout="channels_first")
    transform(IMAGES, IDS), transform(IMAGES, IDS)
    assert not taken


def test_what_a_compose_declares_later_counts(taken):
    images, depth = IMAGES.transpose(0, 2, 3, 1), IMAGES[:, 0]
    transform = for_albumentations.MixUp(masks="dominant", passthrough=("depth",))
    transform(images=images, depth=depth), transform(images=images, depth=depth)
    assert len(taken) == 1
    again = for_albumentations.MixUp(masks="dominant")
    again.add_targets({"depth": "mask"})
    again(images=images, depth=MASKS)
    assert "depth" in again(images=images, depth=MASKS)


def test_forced_calls_mix_whatever_p_is():
    images, batch = IMAGES.transpose(0, 2, 3, 1), {"labels": IDS}
    transform = for_albumentations.MixUp(num_classes=4, p=0.0)
    for _ in range(2):
        assert np.array_equal(transform(images=images, **batch)["images"], images)
    assert not np.array_equal(transform(images=images, force_apply=True, **batch)["images"], images)


def test_ways_live_no_longer_than_their_templates():
    transform = MixUp(num_classes=4, layout="channels_first")
    transform(IMAGES, IDS)
    (template,) = (known for known in transform._finder.memo.values() if hasattr(known, "spec"))
    watched = weakref.ref(template)
    del template
    transform._finder.memo.clear()
    gc.collect()
    assert watched() is None


def test_seeds_of_the_host_are_those_of_its_generator():
    images, ids = tensors((IMAGES, IDS))
    transform = for_torchvision.MixUp(num_classes=4)
    torch.manual_seed(1)
    first = [transform(images, ids)[0] for _ in range(3)]
    torch.manual_seed(1)
    with torch.inference_mode():
        again = [for_torchvision.MixUp(num_classes=4)(images, ids)[0] for _ in range(3)]
    assert all(map(torch.equal, first, again))
