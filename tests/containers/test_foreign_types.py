"""Types of other libraries: arrays that are neither NumPy's nor torch's, objects that hold arrays, odd mappings."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp, Regression

torch = pytest.importorskip("torch", reason="torch is not installed")

X = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)


class Series:
    """Converts itself, as those of pandas, polars and pyarrow do, and arrays of JAX."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.values, dtype)

    def __bool__(self) -> bool:
        raise ValueError("The truth value is ambiguous")


class Capsule:
    """Only hands out its memory."""

    def __dlpack__(self, stream: Any = None) -> Any:
        raise BufferError("memory of a device")


class Shaped:
    """Only has a shape, as a file of h5py or zarr."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (4, 8)


class ShapedInside:
    """Has a shape as an attribute of the object, not of its class."""

    def __init__(self) -> None:
        self.shape = (4, 8)


ARRAYS = {"array": Series(1, 2, 3, 4), "dlpack": Capsule(), "shape": Shaped(), "attribute": ShapedInside()}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_arrays_of_other_libraries_do_not_pass_unmixed(method: Any, name: str) -> None:
    """By name, in a list, inside another container, in every sample, at the place of the image."""
    given = ARRAYS[name]
    for batch in (
        {"image": X, "depth": given},
        {"image": X, "depth": [given] * 4},
        {"image": X, "more": {"depth": given}},
        {"image": X, "depth": deque([given])},
        [{"image": x, "depth": given} for x in X],
        (X, np.eye(4), given),
    ):
        with pytest.raises(InputError, match=r"No array \(batch\[.*\]\): got .*passthrough=\("):
            method()(batch)
    assert method(passthrough="depth")({"image": X, "depth": given})["depth"] is given
    for batch in (given, {"image": given}, [given, [0, 1, 2, 3]]):
        with pytest.raises(
            InputError, match=r"Nothing to mix \(batch\): got \w+ at batch.*, a type that is not looked into"
        ):
            method()(batch)


def test_the_step_that_is_named_leads_on() -> None:
    depth = Series(1, 2, 3, 4)
    with pytest.raises(InputError, match=r"Convert it, np\.asarray\(\.\.\.\), or .*passthrough=\('depth',\)"):
        MixUp()({"image": X, "depth": depth})
    with pytest.raises(InputError, match=r"neither known nor declared .* passthrough=\('depth',\)"):
        MixUp()({"image": X, "depth": np.asarray(depth)})
    assert MixUp(kinds={"depth": "regression"})({"image": X, "depth": np.asarray(depth)})["depth"].shape == (4,)


@pytest.mark.parametrize("back", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
@pytest.mark.parametrize("door", ["mixtransforms", "mixtransforms.torchvision", "mixtransforms.albumentations"])
def test_labels_of_other_libraries_are_taken(door: str, back: Any) -> None:
    module = pytest.importorskip(door)
    images = back(X) if back is np.asarray else back(X).permute(0, 3, 1, 2)
    for ids in (Series(0, 1, 2, 3), Series(*np.eye(4, dtype=np.float32))):
        wanted, given = module.MixUp(alpha=1.0, num_classes=4, seed=0), module.MixUp(alpha=1.0, num_classes=4, seed=0)
        names = {"images": images}
        expected = wanted(**names, labels=np.asarray(ids) if back is np.asarray else back(np.asarray(ids)))["labels"]
        got = given(**names, labels=ids)["labels"]
        assert type(got) is type(expected)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))
    numbers = module.MixUp(seed=0, kinds={"y": Regression()}, alpha=1.0)(images=images, y=Series(0.0, 1.0, 2.0, 3.0))[
        "y"
    ]
    assert type(numbers) is type(images)
    assert numbers.shape == (4,)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Series("a", "b", "c", "d"), r"Not numbers \(batch\['label'\]\): got Series of length 4 of dtype <U1"),
        (Series(0, None, 1, 2), r"Not numbers \(batch\['label'\]\): got Series of length 4 of dtype object"),
        (Capsule(), r"Not numbers \(batch\['label'\]\): got Capsule of dtype object"),
        (Series(0, 1), r"Batch sizes disagree \(batch\['label'\]\)"),
    ],
)
def test_labels_that_are_no_numbers(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MixUp(num_classes=4)({"image": X, "label": labels})


def test_what_cannot_be_repeated_is_refused_beside_originals() -> None:
    batch = {"image": X, "names": Series("a", "b", "c", "d")}
    with pytest.raises(InputError, match=r"Cannot be repeated .*\(batch\['names'\]\).* list\(\.\.\.\)"):
        MixUp(keep_originals=True, passthrough="names")(batch)
    again = MixUp(keep_originals=True, passthrough="names")(batch | {"names": list("abcd")})
    assert again["names"] == list("abcdabcd")


# ------------------------------------------------------------------------------------------ objects that hold arrays


class Slotted:
    """As classes of attrs have it."""

    __slots__ = ("image", "unset")

    def __init__(self, image: Any) -> None:
        self.image = image


class Looped:
    """Holds itself."""

    def __init__(self) -> None:
        self.own = self


HOLDERS = {
    "namespace": lambda: SimpleNamespace(image=X),
    "slots": lambda: Slotted(X),
    "tensor in a list": lambda: SimpleNamespace(images=[torch.zeros(3)]),
    "in a dict": lambda: SimpleNamespace(parts={"image": X}),
    "in an object": lambda: SimpleNamespace(inner=Slotted(X)),
    "foreign": lambda: SimpleNamespace(depth=Series(1)),
    "list of another class": lambda: type("Rows", (list,), {})([X]),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_objects_that_hold_arrays_do_not_pass(name: str) -> None:
    holder = HOLDERS[name]()
    for batch in ({"image": X, "other": holder}, [{"image": x, "other": holder} for x in X]):
        with pytest.raises(InputError, match=r"No array \(batch\['other'\].*a type that is not looked into"):
            MixUp()(batch)
    assert MixUp(passthrough="other")({"image": X, "other": holder})["other"] is holder
    for batch in (holder, [holder] * 4, {"image": holder}):
        with pytest.raises(
            InputError, match=r"Nothing to mix .*a type that is not looked into; .* to a dict of arrays"
        ):
            MixUp()(batch)
    if name == "namespace":
        assert MixUp()(vars(holder))["image"].shape == X.shape


@pytest.mark.parametrize(
    "other",
    [
        SimpleNamespace(id=3, tags=["a"]),
        Slotted("name"),
        Looped(),
        np.float32(3),
        np.dtype("u1"),
        torch.float32,
        Series,
        len,
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_without_arrays_pass(other: Any) -> None:
    assert MixUp()({"image": X, "other": other})["other"] is other


# ------------------------------------------------------------------------------------------ odd mappings


class Rows(Mapping[str, Any]):
    """Iterated it gives rows, and it knows how many there are, as ``TensorDict`` of tensordict."""

    def __init__(self, items: Any, batch_size: Any = (), device: Any = None) -> None:
        self.items_, self.batch_size, self.device = dict(items), list(batch_size), device
        for name, value in self.items_.items():
            if list(np.shape(value)[: len(self.batch_size)]) != self.batch_size:
                raise RuntimeError(f"batch dimension mismatch for {name!r}")

    def __getitem__(self, key: Any) -> Any:
        return self.items_[key] if isinstance(key, str) else {name: value[key] for name, value in self.items_.items()}

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(self.batch_size[0]))

    def __len__(self) -> int:
        return self.batch_size[0] if self.batch_size else 0

    def keys(self) -> Any:
        return list(self.items_)  # which is equal to no view of keys

    def values(self) -> Any:
        return list(self.items_.values())

    def items(self) -> Any:
        return list(self.items_.items())


class Synced(OrderedDict[str, Any]):
    """Its items are attributes, and it refuses ``update``, as ``ModelOutput`` of transformers."""

    def __init__(self, *args: Any, **items: Any) -> None:
        super().__init__()
        for name, value in {**dict(*args), **items}.items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        object.__setattr__(self, name, value)

    def update(self, *args: Any, **items: Any) -> None:
        raise Exception(f"You cannot use ``update`` on a {type(self).__name__} instance.")  # noqa: TRY002 (as there)


@pytest.mark.parametrize("kept", [False, True])
def test_mappings_that_give_rows(kept: bool) -> None:
    given = Rows({"image": X, "label": np.arange(4)}, [4])
    wanted = MixUp(alpha=1.0, num_classes=4, seed=0, keep_originals=kept)({"image": X, "label": np.arange(4)})
    got = MixUp(alpha=1.0, num_classes=4, seed=0, keep_originals=kept)(given)
    assert type(got) is Rows
    assert got.batch_size == [8 if kept else 4]
    for name, value in wanted.items():
        np.testing.assert_array_equal(got[name], value)
    np.testing.assert_array_equal(given["label"], np.arange(4))


def test_samples_that_are_such_mappings() -> None:
    samples = [Rows({"image": x, "label": i}) for i, x in enumerate(X)]
    got = MixUp(alpha=1.0, num_classes=4, seed=0)(samples)
    wanted = MixUp(alpha=1.0, num_classes=4, seed=0)([dict(sample.items()) for sample in samples])
    assert type(got) is Rows
    for name, value in wanted.items():
        np.testing.assert_array_equal(got[name], value)


def test_mappings_that_refuse_what_mixing_makes() -> None:
    """A pair of labels is no array of so many rows; the step that is named leads on."""
    given = Rows({"image": X, "label": np.arange(4)}, [4])
    with pytest.raises(
        InputError, match=r"A mapping that cannot be rebuilt \(Rows\): got batch dimension .* to a dict"
    ):
        MixUp(labels="pair")(given)
    assert len(MixUp(labels="pair")(dict(given.items()))["label"]) == 3


@pytest.mark.parametrize("as_samples", [False, True])
def test_dicts_whose_items_are_attributes(as_samples: bool) -> None:
    batch = Synced(image=X, boxes=[np.array([[0.0, 0, 5, 5]])] * 4)
    given = [Synced(image=x, boxes=box) for x, box in zip(X, batch["boxes"], strict=True)] if as_samples else batch
    got = MixUp(alpha=1.0, seed=0)(given)
    wanted = MixUp(alpha=1.0, seed=0)([dict(one) for one in given] if as_samples else dict(batch))
    assert type(got) is Synced
    assert list(got) == ["image", "boxes", "box_weights"]
    for name, value in wanted.items():
        assert getattr(got, name) is got[name]
        assert all(map(np.array_equal, got[name], value))
    assert "box_weights" not in batch


@dataclass
class Frozen(dict[str, Any]):
    """A dict that nobody may write to."""

    def __setitem__(self, name: str, value: Any) -> None:
        raise TypeError("frozen")

    def update(self, *args: Any, **items: Any) -> None:
        raise TypeError("frozen")


def test_dicts_that_cannot_be_written_to() -> None:
    given = Frozen()
    dict.update(given, {"image": X})
    with pytest.raises(
        InputError, match=r"A mapping that cannot be rebuilt \(Frozen\): got frozen; .* Convert it to a dict"
    ):
        MixUp()(given)
    assert MixUp()(dict(given))["image"].shape == X.shape
