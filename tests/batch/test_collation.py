"""Samples that are mixed while they are collated, and batches that are not searched twice: the same as the slow way."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tiers
from doors import DOORS, NEUTRAL, TORCHVISION, Door
from forms import bits, host, memory

from mixtransforms.batch import collate
from mixtransforms.core.errors import InputError

SIZE, SIDE, CLASSES = 5, 16, 4
METHODS = ("MixUp", "CutMix", "OneOf")


def transform(door: Door, method: str, **options: Any) -> Any:
    module = door.load()
    if method == "OneOf":
        return module.OneOf([module.MixUp(alpha=1.0), module.CutMix()], num_classes=CLASSES, **options)
    return getattr(module, method)(alpha=1.0, num_classes=CLASSES, **options)


def pictures(dtype: str) -> list[np.ndarray]:
    values = np.random.default_rng(0).random((SIZE, SIDE, SIDE, 3))
    return list((values * 255).astype(dtype) if dtype != "float32" else values.astype(dtype))


def tensors(change: Callable[[Any], Any] = lambda tensor: tensor) -> list[Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return [change(torch.from_numpy(image.transpose(2, 0, 1).copy())) for image in pictures("float32")]


def typed(tensor: Any) -> Any:
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    return tv_tensors.Image(tensor)


SAMPLES: dict[str, Callable[[], list[Any]]] = {
    "bytes": lambda: pictures("uint8"),
    "floats": lambda: pictures("float32"),
    "turned arrays": lambda: [image.transpose(1, 0, 2) for image in pictures("uint8")],
    "tensors": tensors,
    "typed tensors": lambda: tensors(typed),
    "channels last in memory": lambda: tensors(lambda t: t.permute(1, 2, 0).contiguous().permute(2, 0, 1)),
    "every second pixel": lambda: tensors(lambda t: t[:, ::2, ::2]),
    "halves": lambda: tensors(lambda t: t.half()),
    "bfloat16": lambda: tensors(lambda t: t.bfloat16()),
    "under autograd": lambda: tensors(lambda t: t.requires_grad_()),
    "with pending signs": lambda: tensors(lambda t: t.to(dtype=__import__("torch").complex64).conj().imag),
}


def samples(form: str) -> list[dict[str, Any]]:
    return [{"image": image, "label": index % CLASSES} for index, image in enumerate(SAMPLES[form]())]


def both_ways(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> tuple[Any, Any]:
    """What comes of samples that are mixed while they are collated, and of those that are stacked first."""
    results = []
    for limit in (0, 1 << 60):
        monkeypatch.setattr(collate, "LARGE_ROW", limit)
        results.append(run())
    return results[0], results[1]


# Whether samples are stacked is decided by their form; a plan is painted on what there is then.
@tiers.product(door=DOORS, method=METHODS, form=SAMPLES)
def test_mixed_while_collated(door: Door, method: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = samples(form)
    before = [bits(sample["image"]) for sample in batch]
    for options in ({}, {"inplace": True}, {"keep_originals": True}, {"labels": "pair"}):
        mix = transform(door, method, seed=3, **options)
        fast, slow = both_ways(monkeypatch, lambda mix=mix: pickle.loads(pickle.dumps(mix))(batch))
        assert type(fast["image"]) is type(slow["image"])
        assert fast["image"].dtype == slow["image"].dtype
        np.testing.assert_array_equal(host(fast["image"]), host(slow["image"]))
        assert [bits(sample["image"]) for sample in batch] == before


@pytest.mark.parametrize("form", ["bytes", "tensors"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_trace_has_the_batch_as_it_came(door: Door, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = samples(form)
    mix = transform(door, "CutMix", seed=3)
    fast, slow = both_ways(monkeypatch, lambda: mix.trace(batch))
    assert bits(fast.before["image"]) == bits(slow.before["image"])
    assert bits(fast.after["image"]) == bits(slow.after["image"])
    assert fast.plans == slow.plans
    np.testing.assert_array_equal(host(fast.before["image"]), [host(sample["image"]) for sample in batch])


@pytest.mark.parametrize("form", ["bytes", "tensors"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_plans_are_the_same(door: Door, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow = both_ways(monkeypatch, lambda: transform(door, "OneOf", seed=3).plan(samples(form)))
    assert fast == slow
    assert fast.key == slow.key


def test_samples_are_not_stacked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collate, "LARGE_ROW", 0)
    monkeypatch.setattr(np, "stack", lambda *_: pytest.fail("stacked"))
    out = transform(NEUTRAL, "CutMix")(samples("bytes"))["image"]
    assert out.shape == (SIZE, SIDE, SIDE, 3)


def test_sizes_that_differ_are_still_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collate, "LARGE_ROW", 0)
    batch = samples("bytes")
    batch[3]["image"] = batch[3]["image"][1:]
    with pytest.raises(InputError, match="sample 3"):
        transform(NEUTRAL, "MixUp")(batch)


def test_results_do_not_share_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collate, "LARGE_ROW", 0)
    mix = transform(NEUTRAL, "MixUp", p=0.0)
    first, second = mix(samples("floats"))["image"], mix(samples("floats"))["image"]
    assert memory(first) != memory(second)


# Structures that were met before ------------------------------------------------------------------------------------

IMAGES = np.random.default_rng(1).random((SIZE, SIDE, SIDE, 3), np.float32)
LABELS = np.arange(SIZE) % CLASSES
SOFT = np.eye(CLASSES, dtype=np.float32)[LABELS]

BATCHES: dict[str, Any] = {
    "tuple": (IMAGES, LABELS),
    "list": [IMAGES, LABELS],
    "names": {"image": IMAGES, "label": LABELS},
    "other names": {"inputs": IMAGES, "label": LABELS, "meta": ["a"] * SIZE},
    "again other names": {"pixel_values": IMAGES, "target": LABELS},
    "names turned round": {"label": LABELS, "image": IMAGES},
    "soft": (IMAGES, SOFT),
    "bytes": ((IMAGES * 255).astype(np.uint8), LABELS),
    "smaller": (IMAGES[:3], LABELS[:3]),
    "lists": {"image": IMAGES, "label": LABELS.tolist()},
    "views": {"image": [IMAGES, IMAGES[:, ::-1]], "label": LABELS},
    "masks": {"image": IMAGES, "mask": np.zeros((SIZE, SIDE, SIDE), np.uint8), "label": LABELS},
    "boxes": {"image": IMAGES, "bboxes": [np.array([[1.0, 2, 9, 8]])] * SIZE, "labels": [np.array([1])] * SIZE},
    "samples": [(image, int(label)) for image, label in zip(IMAGES, LABELS, strict=True)],
    "named samples": [{"image": image, "label": int(label)} for image, label in zip(IMAGES, LABELS, strict=True)],
    "more samples": [(image, int(label)) for image, label in zip(IMAGES, LABELS, strict=True)] * 2,
}

REFUSED: dict[str, Any] = {
    "ids out of range": (IMAGES, LABELS + CLASSES),
    "an unknown array": {"image": IMAGES, "label": LABELS, "depth": IMAGES},
    "sizes that disagree": (IMAGES, LABELS[:2]),
    "no intensities": (np.zeros((SIZE, SIDE, SIDE, 3), np.int64), LABELS),
}


def leaves(value: Any) -> list[np.ndarray]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [np.asarray(value)]


def test_what_was_met_before_changes_nothing() -> None:
    """One transform sees every batch several times; each result is that of a new transform."""
    known = transform(NEUTRAL, "MixUp", seed=4)
    for turn in range(3):
        for name, batch in BATCHES.items():
            fresh = transform(NEUTRAL, "MixUp", seed=4)
            plan = known.plan(batch)
            seen, wanted = known.replay(plan, batch), fresh.replay(plan, batch)
            assert type(seen) is type(wanted), (name, turn)
            for one, other in zip(leaves(seen), leaves(wanted), strict=True):
                np.testing.assert_array_equal(one, other, err_msg=name)
        for name, batch in REFUSED.items():
            texts = []
            for mix in (known, transform(NEUTRAL, "MixUp", seed=4)):
                with pytest.raises(InputError) as caught:
                    mix(batch)
                texts.append(str(caught.value))
            assert texts[0] == texts[1], (name, turn)


def test_a_batch_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mix = transform(NEUTRAL, "MixUp")
    expected = {name: mix(BATCHES[name]) for name in ("tuple", "names", "samples")}
    monkeypatch.setattr(type(mix._finder), "inventory", lambda *_, **__: pytest.fail("searched again"))
    for name in expected:
        mix(BATCHES[name])
    copied = pickle.loads(pickle.dumps(mix))
    with pytest.raises(pytest.fail.Exception, match="searched again"):
        copied(BATCHES["tuple"])


# In workers ---------------------------------------------------------------------------------------------------------


class Photos:
    """Images that are large enough to be mixed while they are collated."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import torch

        values = np.random.default_rng(index).integers(0, 256, (3, 97, 101), np.uint8)
        return torch.from_numpy(values), index % CLASSES


@pytest.mark.parametrize("strategy", ["file_descriptor", "file_system"])
@pytest.mark.parametrize("method", METHODS)
def test_workers_write_into_shared_memory(method: str, strategy: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mix = transform(TORCHVISION, method, seed=3, p=0.8)
    former = torch.multiprocessing.get_sharing_strategy()
    torch.multiprocessing.set_sharing_strategy(strategy)
    try:
        own, theirs = (
            list(torch.utils.data.DataLoader(Photos(), batch_size=4, collate_fn=mix, num_workers=workers))
            for workers in (0, 2)
        )
    finally:
        torch.multiprocessing.set_sharing_strategy(former)
    for (images, labels), (seen, soft) in zip(own, theirs, strict=True):
        assert seen.is_shared()
        assert torch.equal(images, seen)
        assert torch.equal(labels, soft)


# Where no painter looks ---------------------------------------------------------------------------------------------


def reserving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every image that may be mixed while it is collated left to the painter; what nobody fills is no number."""
    monkeypatch.setattr(collate, "LARGE_ROW", 0)
    numpy = collate.kernel_of("numpy")
    monkeypatch.setattr(
        numpy, "reserved", lambda sample, size, shared: np.full((size, *sample.shape), 99, sample.dtype)
    )


def test_tables_are_collated(monkeypatch: pytest.MonkeyPatch) -> None:
    reserving(monkeypatch)
    rows = [(np.full(50, index, np.float32), index) for index in range(CLASSES)]
    mixed, _ = NEUTRAL.load().MixUp(0.2, num_classes=CLASSES, layout="BF")(rows)
    assert mixed.max() < CLASSES


def test_images_in_records_are_collated(monkeypatch: pytest.MonkeyPatch) -> None:
    reserving(monkeypatch)
    batch = [{"image": image, "views": [{"image": image}] * SIZE} for image in pictures("float32")]
    out = NEUTRAL.load().MixUp(1.0)(batch)
    for leaf in leaves(out):
        assert leaf.max() <= 1


def test_who_finds_the_labels_sees_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(collate, "LARGE_ROW", 0)
    seen = []

    def getter(batch: Any) -> Any:
        seen.append(batch["image"].clone())
        return batch["label"]

    batch = samples("tensors")
    transform(TORCHVISION, "MixUp", labels_getter=getter)(batch)
    assert torch.equal(seen[0], torch.stack([sample["image"] for sample in batch]))


def test_bytes_of_the_other_order_are_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [{"image": image.astype(image.dtype.newbyteorder())} for image in pictures("float32")]
    fast, slow = both_ways(monkeypatch, lambda: NEUTRAL.transform("MixUp", seed=3)(batch)["image"])
    assert fast.dtype == slow.dtype
    assert fast.dtype.isnative
    np.testing.assert_allclose(fast, slow, atol=1e-6)


def test_names_that_are_equal_but_not_alike() -> None:
    from mixtransforms import Label

    def mixed(mix: Any, name: Any) -> tuple[int, ...]:
        return np.shape(mix({"image": IMAGES, "m": {name: LABELS}})["m"][name])

    for first, second in ((True, 1), (1, True)):
        mix = NEUTRAL.load().CutMix(1.0, kinds={"m.True": Label(num_classes=CLASSES)}, passthrough=("m.1",))
        found = {str(name): mixed(mix, name) for name in (first, second)}
        assert found == {"True": (SIZE, CLASSES), "1": (SIZE,)}


@pytest.mark.parametrize("door", [door for door in DOORS if door is not NEUTRAL], ids=str)
def test_a_mix_in_several_pipelines_has_the_rules_of_each(door: Door) -> None:
    from mixtransforms import Label

    module = door.load()
    mix = module.MixUp(1.0, p=0.0)
    for turn in range(20):
        other = module.MixUp(1.0, p=0.0, kinds={"z": Label(num_classes=3, ignore_index=turn % 3)})
        image = IMAGES[:3] if door.name != "torchvision" else __import__("torch").zeros(3, 3, 8, 8)
        batch = {"image": image, "z": [0, 1, 2]}
        pipeline = module.BatchCompose([mix, other])
        out = pipeline(batch) if door.name == "torchvision" else pipeline(**batch)
        wanted = np.eye(3)
        wanted[turn % 3] = 0
        np.testing.assert_array_equal(host(out["z"]), wanted)
        del pipeline, other, out


@pytest.mark.parametrize("door", [door for door in DOORS if door is not NEUTRAL], ids=str)
def test_a_pipeline_searches_a_batch_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from mixtransforms.batch.inventory import Finder

    module = door.load()
    pipeline = module.BatchCompose([module.MixUp(num_classes=CLASSES)])
    image = IMAGES if door.name != "torchvision" else __import__("torch").from_numpy(IMAGES).movedim(-1, 1)
    batch = {"image": image, "label": LABELS if door.name != "torchvision" else __import__("torch").from_numpy(LABELS)}
    run = pipeline if door.name == "torchvision" else lambda batch: pipeline(**batch)
    run(batch)
    monkeypatch.setattr(Finder, "inventory", lambda *_, **__: pytest.fail("searched again"))
    run(batch)
