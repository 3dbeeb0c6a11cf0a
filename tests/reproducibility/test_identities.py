"""Samples are known by their images: by every byte of them, wherever they stand, and by nothing beside them."""

import dataclasses
import io
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from random_batches import HOLDERS, KINDS, contents, shapes

import mixtransforms
from mixtransforms import BoxRules
from mixtransforms.batch import identity
from mixtransforms.batch.identity import identities
from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import walk
from mixtransforms.core.layout import Layout
from mixtransforms.rng.keys import Call, Key, content_hash, told_apart

Record = namedtuple("Record", "image label")
PLAIN = Finder({}, frozenset())


@dataclasses.dataclass
class Item:
    image: Any
    label: int = 0


def picture(number: int = 0, shape: tuple[int, ...] = (4, 5, 3), dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, shape).astype(dtype)


def one(sample: Any, finder: Finder = PLAIN) -> int:
    """The identity of a sample alone."""
    return int(identities([sample], finder)[0])


def hashed(*images: np.ndarray) -> int:
    """The identity by its definition: every image in turn, channels last, in little endian; no names."""
    found = 0
    for image in images:
        shape = image.shape if image.ndim != 2 else (*image.shape, 1)
        head = xxhash.xxh3_64_intdigest(f"{image.dtype.name}|{shape}|".encode(), found)
        found = xxhash.xxh3_64_intdigest(image.astype(image.dtype.newbyteorder("<")).tobytes(), head)
    return found


def named_hash(*named: tuple[str, np.ndarray]) -> int:
    """The identity of a sample without images: all names, dtypes, shapes and bytes in a row."""
    parts = [f"{name}|{array.dtype.str}|{array.shape}|".encode() + array.tobytes() for name, array in named]
    return xxhash.xxh3_64_intdigest(b"".join(parts))


# ----------------------------------------------------------------------------------------------- where images stand

A, B = picture(1), picture(2)
GRAY = A[..., 0].copy()
VIDEO = picture(3, (2, 4, 5, 3))

FORMS: dict[str, tuple[Any, tuple[np.ndarray, ...]]] = {
    "array": (A, (A,)),
    "tuple": ((A, 3), (A,)),
    "list": ([A, 3], (A,)),
    "tuple of two arrays": ((A, B[..., 0]), (A,)),
    "dict": ({"label": 3, "image": A}, (A,)),
    "named tuple": (Record(A, 3), (A,)),
    "dataclass": (Item(A, 3), (A,)),
    "nested": ({"inputs": {"image": A}, "y": 3}, (A,)),
    "dict in a tuple": (({"image": A, "mask": B}, {"label": 3}), (A,)),
    "two images": ({"image": A, "mask": B[..., 0], "x": B}, (A, B)),
    "gray": ((GRAY, 3), (GRAY,)),
    "video": ({"video": VIDEO}, (VIDEO,)),
}
NO_IMAGE = {"a": A, "b": B}


@pytest.mark.parametrize("form", FORMS)
def test_an_identity_is_a_hash_of_images_alone(form: str) -> None:
    sample, images = FORMS[form]
    assert one(sample) == hashed(*images)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_of_tensors(form: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    sample, images = FORMS[form]

    def tensor(leaf: np.ndarray) -> Any:
        leaf = leaf[..., None] if form == "gray" else leaf
        return torch.from_numpy(leaf.copy()).movedim(-1, -3) if leaf.ndim > 2 else torch.from_numpy(leaf.copy())

    assert (
        one(changed(sample, tensor)) == one(changed(sample, lambda leaf: tensor(leaf).contiguous())) == hashed(*images)
    )


def test_where_there_is_no_image_everything_counts_by_name() -> None:
    assert one(NO_IMAGE) == named_hash(("batch['a']", A), ("batch['b']", B)) != one({"b": A, "a": B})


def changed(node: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """A sample with all its arrays changed."""
    if isinstance(node, np.ndarray):
        return change(node)
    if isinstance(node, dict):
        return {key: changed(value, change) for key, value in node.items()}
    if isinstance(node, Record):
        return Record(*(changed(value, change) for value in node))
    if dataclasses.is_dataclass(node):
        return Item(**{key: changed(value, change) for key, value in vars(node).items()})
    return type(node)(changed(value, change) for value in node) if isinstance(node, (tuple, list)) else node


IMAGES_OF = {form: list(images) for form, (_, images) in FORMS.items()}


@pytest.mark.parametrize("form", FORMS)
def test_every_byte_of_every_image_counts(form: str) -> None:
    sample, _ = FORMS[form]
    seen = {one(sample)}
    for image in IMAGES_OF[form]:
        for index in range(image.size):
            other = image.copy()
            other.flat[index] ^= 1 << index % 8
            seen.add(one(changed(sample, lambda leaf, image=image, other=other: other if leaf is image else leaf)))
    assert len(seen) == 1 + sum(image.size for image in IMAGES_OF[form])


@pytest.mark.parametrize(
    "other",
    [A.view(np.int8), A.reshape(5, 4, 3), A.reshape(1, 4, 5, 3), A.astype(np.uint16), A.astype(np.float32), A[:, :-1]],
    ids=lambda other: f"{other.dtype}{other.shape}",
)
@pytest.mark.parametrize("make", [lambda image: image, lambda image: (image, 3), Item], ids=["array", "tuple", "item"])
def test_dtype_and_shape_count(make: Callable[[Any], Any], other: np.ndarray) -> None:
    if other.ndim == 4 and make(0) == 0:
        other = other.reshape(20, 1, 3)  # an array with four axes would be a batch
    assert one(make(other)) != one(make(A))


def test_what_is_beside_images_does_not_count() -> None:
    plain = one({"image": A})
    beside = {"label": 3, "mask": B, "boxes": np.zeros((2, 4)), "labels": [1, 2], "name": "a", "meta": {"deep": B}}
    for name, value in beside.items():
        assert one({"image": A, name: value}) == one({name: value, "image": A}) == plain, name
    assert one({"image": A} | beside) == plain
    assert one((A, 3)) == one((A, 4)) == one((A, "cat")) == one((A, B[..., 0])) == one([A, None])


def test_a_declared_passthrough_does_not_count() -> None:
    passing = Finder({}, frozenset({"img"}))
    assert one({"image": A, "img": B}, passing) == one({"image": A, "img": A}, passing) == one({"image": A})


def test_the_order_of_images_counts_and_no_other_order() -> None:
    """A dict says the same in any order, but two images are hashed one after the other."""
    assert one({"image": A, "x": B}) != one({"x": B, "image": A})
    assert one({"image": A, "x": B}) != one({"image": B, "x": A})
    assert one({"image": A, "mask": B, "label": 3}) == one({"label": 3, "mask": B, "image": A})


def test_declared_images_and_tables_count() -> None:
    declared = Finder({"scan": "image"}, frozenset())
    assert one({"scan": A, "label": 3}, declared) == hashed(A)
    rows = np.arange(5.0)
    table = Finder({}, frozenset(), layout=Layout("BF"))
    assert one((rows, 3), table) == one((rows, 4), table) == hashed(rows)
    named = Finder({"rows": "table"}, frozenset())
    assert one({"rows": rows, "label": 3}, named) == hashed(rows)
    assert one({"rows": rows + 1, "label": 3}, named) != one({"rows": rows, "label": 3}, named)


def test_without_images_plain_values_count_too() -> None:
    seen = {one({"a": A, "b": value}) for value in (1, 2, 1.0, "1", True, None, b"1", np.float64(1))}
    assert len(seen) == 8
    assert one({"a": A, "b": object()}) == one({"a": A, "b": object()}), "an address is nothing to know anybody by"


@pytest.mark.parametrize(
    "make",
    [
        lambda number: (picture(number), B),
        lambda number: (picture(number), B[..., :1]),
        lambda number: {"image": [picture(number), B], "label": 3},
        lambda number: ([picture(number), B], 3),
        lambda number: ([0.5 * number, 1.0], 3),
        lambda number: {"x": [number, 2, 3], "y": 3},
        lambda number: {"x": [[number, 2], [3, 4]], "y": 3},
    ],
    ids=[
        "image and another one",
        "image and mask of three axes",
        "views in a dict",
        "views in a tuple",
        "numbers in a tuple",
        "numbers in a dict",
        "rows of numbers",
    ],
)
def test_lists_count_by_what_is_in_them(make: Callable[[int], Any]) -> None:
    assert len({one(make(number)) for number in range(5)}) == 5


def test_batches_of_several_views_are_keyed_by_them() -> None:
    """Else every batch of an epoch, and every sample at one place of it, would have the same draws."""
    mixing = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    import torch

    pipeline = mixing.BatchCompose([mixing.MixUp()], seed=1)
    batches = [[{"image": [torch.from_numpy(picture(8 * b + i)).movedim(-1, 0)] * 2} for i in range(4)] for b in (0, 1)]
    first, second = (pipeline.trace(batch).plans[0] for batch in batches)
    assert first.key != second.key


# --------------------------------------------------------------------------------------------------- how images are

MEMORY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "copy": np.copy,
    "fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "transposed": lambda a: a.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    "read only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "in a larger one": lambda a: np.pad(a, 1)[1:-1, 1:-1, 1:-1],
}


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "bool", "complex64"])
@pytest.mark.parametrize("memory", MEMORY)
def test_memory_does_not_count(memory: str, dtype: str) -> None:
    image = picture(3, dtype=dtype)
    assert one((MEMORY[memory](image), 3)) == hashed(image)
    empty = image[:0]
    assert one({"image": MEMORY[memory](empty)}) == hashed(empty)


@pytest.mark.parametrize("opencv", [True, False])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("listed", [True, False])
def test_large_images_are_known_by_the_same_bytes_however_they_are_brought_together(
    listed: bool, channels: int, opencv: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if opencv:
        pytest.importorskip("cv2", reason="OpenCV is not installed")
    else:
        monkeypatch.setattr("mixtransforms.kernels.numpy.opencv", lambda: None)
    images = [picture(number, (230, 221, channels)) for number in range(3)]
    assert images[0].nbytes > identity.WOVEN
    first = [torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in images]
    found = identities(first if listed else torch.stack(first), PLAIN)
    assert found.tolist() == [hashed(image) for image in images]


def test_tensors_are_known_by_their_values() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    image = torch.from_numpy(picture(3, (3, 4, 5), "float32"))
    expected = hashed(image.movedim(0, -1).numpy())
    same = {
        "clone": image.clone(),
        "strided": image.repeat_interleave(2, 2)[..., ::2],
        "permuted": image.permute(1, 2, 0).contiguous().permute(2, 0, 1),
        "channels last": image[None].contiguous(memory_format=torch.channels_last)[0],
        "gradient": image.clone().requires_grad_(),
        "parameter": torch.nn.Parameter(image.clone()),
        "shared": image.clone().share_memory_(),
    }
    assert {name: one((value, 3)) for name, value in same.items()} == dict.fromkeys(same, expected)
    assert one((image[:1].expand(3, 4, 5), 3)) == one((image[:1].expand(3, 4, 5).contiguous(), 3)) != expected
    assert one((image.to(torch.float64), 3)) != expected


def test_typed_tensors_are_known_by_their_values() -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    import torch
    from torchvision import tv_tensors

    image, other = torch.from_numpy(A).movedim(-1, 0), torch.from_numpy(B).movedim(-1, 0)
    assert one((tv_tensors.Image(image), 3)) == one((image, 3))
    assert one({"a": tv_tensors.Image(image), "b": tv_tensors.Mask(other)}) == hashed(A)
    boxes = [tv_tensors.BoundingBoxes(np.full((2, 4), k), format="XYXY", canvas_size=(4, 5)) for k in (1, 2)]
    assert one((image, boxes[0])) == one((image, boxes[1]))


def test_pictures_are_known_by_their_pixels() -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    file = io.BytesIO()
    Image.fromarray(A).save(file, "png")
    loaded = Image.open(file)
    for make in (
        lambda image: image,
        lambda image: (image, 3),
        lambda image: {"label": 3, "image": image},
        lambda image: {"image": image, "mask": Image.fromarray(B)},
        lambda image: {"inputs": Item(image)},
    ):
        assert one(make(Image.fromarray(A))) == one(make(loaded)) == hashed(A)
    views = [Image.fromarray(A), Image.fromarray(B)]
    assert one(({"image": views}, 3)) == hashed(A, B)


def test_a_picture_that_passes_does_not_count() -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    passing = Finder({}, frozenset({"img"}))
    assert one({"image": A, "img": Image.fromarray(B)}, passing) == one({"image": A}, passing)


# ------------------------------------------------------------------------------------------ many samples at a time


@st.composite
def any_sample(draw: st.DrawFn) -> Any:
    """A sample of any structure: images of several ranks, names, places, masks and lists of numbers beside them."""
    number = draw(st.integers(0, 3))
    shape = draw(st.sampled_from([(2, 2), (2, 2, 3), (3, 2, 2), (2, 2, 2, 3), (5,)]))
    image = picture(number, shape, draw(st.sampled_from(["uint8", "float32"])))
    other = draw(
        st.sampled_from([3, "cat", None, 0.5, picture(9, (2, 2)), [1, 2], [1, 2, 3], [[1, 2], [3, 4]], [], (1, "a")])
    )
    names = draw(st.sampled_from([("image", "label"), ("x", "image"), ("label", "x"), ("a", "b"), ("image", "boxes")]))
    holder = HOLDERS[draw(st.sampled_from(list(HOLDERS)))]
    return draw(
        st.sampled_from(
            [
                (image, other),
                (other, image),
                [image, other, image],
                {"deep": [image, {"image": other}]},
                holder(dict(zip(names, (image, other), strict=True))),
                (holder(dict(zip(names, (other, image), strict=True))), image),
            ]
        )
    )


@given(st.lists(any_sample(), min_size=2, max_size=8))
def test_samples_of_any_structures_are_each_known_as_alone(samples: list[Any]) -> None:
    """Where the images of one sample are is remembered for others of its form, and must be true of them."""
    if is_samples(samples):
        np.testing.assert_array_equal(identities(samples, PLAIN), told_apart([one(sample) for sample in samples]))


ALIKE = {
    "axes": ({"image": [A, A[..., 0]]}, {"image": [A, B]}),
    "lengths": ({"x": [[1, 2], [3, 4]]}, {"x": [[1, 2], [3]]}),
    "types": ({"x": [1, 2]}, {"x": ["a", "b"]}),
    "arrays or numbers": ({"image": A, "x": 3}, {"image": 3, "x": A}),
    "containers": ({"image": (A, 3)}, {"image": [A, 3]}),
    "names": ({"image": A, "other": B}, {"other": A, "image": B}),
}


@pytest.mark.parametrize("difference", ALIKE)
def test_samples_that_look_alike_are_each_known_as_alone(difference: str) -> None:
    for samples in (ALIKE[difference], ALIKE[difference][::-1]):
        np.testing.assert_array_equal(identities(list(samples), PLAIN), told_apart([one(sample) for sample in samples]))


FINDERS = {form: Finder(KINDS, frozenset(), BoxRules(format=form)) for form in ("xyxy", "xywh", "cxcywh")}


@given(contents(1), shapes(), st.randoms(use_true_random=False))
def test_only_images_count_in_any_container(given: Any, shape: Any, random: Any) -> None:
    samples = dataclasses.replace(shape, by="samples").build(given.entries)
    finder = FINDERS[given.form]
    ids = identities(samples, finder)
    np.testing.assert_array_equal(ids, told_apart([one(sample, finder) for sample in samples]))
    index = random.randrange(given.size)
    images = given.entries["image"].copy()
    images[index].view(np.uint8).flat[random.randrange(images[index].nbytes)] ^= 1
    rest = {name: _shuffled(value) for name, value in given.entries.items() if name != "image"}
    after = identities(dataclasses.replace(shape, by="samples").build({"image": images} | rest), finder)
    expected = np.arange(given.size) != index
    np.testing.assert_array_equal((ids == after)[_alone(given.entries["image"], images)], expected[_alone(given.entries["image"], images)])  # fmt: skip


def _shuffled(values: Any) -> Any:
    return values[::-1]


def _alone(*batches: Any) -> Any:
    """Which images are nobody else's: equal ones are told apart by their order."""
    first, second = ([image.tobytes() for image in images] for images in batches)
    return np.array([first.count(image) == 1 and second.count(second[i]) == 1 for i, image in enumerate(first)])


def test_images_of_different_sizes() -> None:
    shapes_ = [(4, 5, 3), (6, 5, 3), (5, 4, 3), (4, 5, 3)]
    samples = [(picture(index, shape), index) for index, shape in enumerate(shapes_)]
    expected = [hashed(image) for image, _ in samples]
    assert identities(samples, PLAIN).tolist() == expected
    batch = {"image": [image for image, _ in samples], "label": list(range(4))}
    assert identities(batch, PLAIN).tolist() == [hashed(image) for image, _ in samples]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_ready_batch_has_the_identities_of_its_samples(size: int) -> None:
    images, masks = np.stack([picture(index) for index in range(size)]), np.stack([A[..., 0]] * size)
    labels = np.arange(size)
    for batch, samples in (
        (images, list(images)),
        ((images, labels), list(zip(images, labels.tolist(), strict=True))),
        ({"x": images, "y": labels}, [{"x": image, "y": 0} for image in images]),
        ({"mask": masks, "image": images}, [{"mask": masks[0], "image": image} for image in images]),
        (Item(images, labels), [Item(image, 0) for image in images]),
        ({"in": {"image": images}, "x": images}, [{"in": {"image": image}, "x": image} for image in images]),
    ):
        np.testing.assert_array_equal(identities(batch, PLAIN), identities(samples, PLAIN))
    assert not len(identities((images[:0], labels[:0]), PLAIN))


# ---------------------------------------------------------------------------------------------- again in one batch


def test_the_first_of_equal_samples_keeps_its_identity() -> None:
    ids = identities([(A, 0), (B, 1), (A, 2), (A, 3), (B, 4)], PLAIN)
    assert len(set(ids.tolist())) == 5
    assert ids[0] == one((A, 0))
    assert ids[1] == one((B, 0))
    np.testing.assert_array_equal(identities([(A, 9)] * 3, PLAIN), ids[[0, 2, 3]], "whatever stands between them")
    np.testing.assert_array_equal(identities([(B, 9)] * 2, PLAIN), ids[[1, 4]])
    np.testing.assert_array_equal(identities((np.stack([A, B, A]), np.arange(3)), PLAIN), ids[:3])


def test_who_is_there_once_does_not_depend_on_the_others() -> None:
    samples = [(picture(index), 0) for index in range(6)]
    ids = dict(zip(range(6), identities(samples, PLAIN), strict=True))
    order = [3, 1, 5, 0]
    assert identities([samples[index] for index in order], PLAIN).tolist() == [ids[index] for index in order]
    again = identities([samples[2], samples[1], samples[2]], PLAIN)
    assert again[:2].tolist() == [ids[2], ids[1]]


# ---------------------------------------------------------------------------------------------------- in a pipeline


def outputs(pipeline: Any, batch: Any) -> bytes:
    result = pipeline(batch)
    return np.asarray(result[0] if isinstance(result, (list, tuple)) else result["image"]).tobytes()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code runs as in a worker."""
    for module in ("rng.streams", "mixing.transform"):
        monkeypatch.setattr(f"mixtransforms.{module}.in_worker", lambda: True)


@pytest.mark.usefixtures("worker")
def test_a_ready_batch_in_a_worker_is_treated_as_its_samples() -> None:
    mixing = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    import torch
    from torchvision.transforms import v2

    images, labels = torch.from_numpy(np.stack([picture(i, (3, 8, 8)) for i in range(16)])), torch.arange(16)
    samples = list(zip(images, labels.tolist(), strict=True))
    pipeline = mixing.BatchCompose([v2.RandomHorizontalFlip(), v2.RandomCrop(6), mixing.MixUp(num_classes=16)], seed=3)
    mixtransforms.set_epoch(pipeline, 0)
    first = outputs(pipeline, (images, labels))
    assert first == outputs(pipeline, (images, labels)) == outputs(pipeline, samples)
    assert first != outputs(pipeline, (images.flip(0), labels.flip(0)))
    mixtransforms.set_epoch(pipeline, 1)
    assert first != outputs(pipeline, (images, labels))


@pytest.mark.usefixtures("worker")
def test_a_transform_alone_in_a_worker_is_keyed_by_content() -> None:
    images = np.stack([picture(index) for index in range(4)])
    mix = mixtransforms.MixUp(seed=3)
    mixtransforms.set_epoch(mix, 0)
    assert mix.plan(images).key == mix.plan(images.copy()).key != mix.plan(images[::-1]).key
    labelled = mixtransforms.MixUp(seed=3, num_classes=4)
    mixtransforms.set_epoch(labelled, 0)
    assert labelled.plan(images, np.arange(4)).key == labelled.plan(images, np.zeros(4, int)).key
    assert mix.plan(list(images)).key == mix.plan(images).key


PARTS: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "views in a dict": (lambda first, second: {"image": [first, second]}, {}),
    "views in a tuple": (lambda first, second: ([first, second], 0), {"num_classes": 2}),
    "mask of three axes": (lambda first, second: (first, second[:1]), {"kinds": {1: "mask"}, "masks": "dominant"}),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_image_and_mask_of_a_sample_is_flipped(part: str) -> None:
    """Else torchvision takes the first tensor for the image, and leaves the others as they are."""
    mixing = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    import torch
    from torchvision.transforms import v2

    make, options = PARTS[part]
    sample = make(*(torch.from_numpy(picture(index, (3, 4, 4)) % 4) for index in range(2)))
    pipeline = mixing.BatchCompose([v2.RandomHorizontalFlip(p=1.0), mixing.MixUp(alpha=0, **options)], seed=1)
    before, after = (
        [leaf for _, leaf in walk(node, lambda *_: False) if torch.is_tensor(leaf) and leaf.ndim > 2]
        for node in (sample, pipeline([sample, sample]))
    )
    for array, flipped_array in zip(before, after, strict=True):
        assert torch.equal(flipped_array[0], array.flip(-1))


# -------------------------------------------------------------------------------------------------- for ever the same

SOLID = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
GOLDEN_IDENTITIES = {
    "array": (SOLID, 17999067441729223387),
    "tuple": ((SOLID, 3), 17999067441729223387),
    "dict": ({"image": SOLID, "label": 3}, 17999067441729223387),
    "other strides": ({"x": np.asfortranarray(SOLID)}, 17999067441729223387),
    "two images": ({"image": SOLID.astype(np.float32) / 4, "x": SOLID}, 7747779000838991184),
    "halves, big endian": ((SOLID.astype(">f2"), 3), 8507324666206301396),
    "gray": ((SOLID[..., 0], 3), 6439162516595947840),
    "video": ({"video": np.stack([SOLID, SOLID + 1])}, 1153306428154109962),
    "nothing known": ({"a": SOLID, "b": 1, "c": "text", "d": None}, 17048831700891291261),
}


@pytest.mark.parametrize("form", GOLDEN_IDENTITIES)
def test_identities_never_change(form: str) -> None:
    sample, expected = GOLDEN_IDENTITIES[form]
    assert one(sample) == expected


def test_identities_of_tables_never_change() -> None:
    assert one((np.arange(5.0), 3), Finder({}, frozenset(), layout=Layout("BF"))) == 14122223331862172951


def test_identities_of_tensors_never_change() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensor = torch.from_numpy(SOLID).movedim(-1, 0)
    assert one((tensor.contiguous(), 3)) == 17999067441729223387
    assert one((tensor.to(torch.bfloat16), 3)) == 4669190204129924764, "NumPy has no such numbers"


def test_identities_of_repeated_samples_never_change() -> None:
    assert told_apart([5, 5, 7, 5]).tolist() == [5, 5897847421310509910, 7, 15704640219512145191]


GOLDEN_SEEDS = {
    "by content": (
        Call(Key(137, 2, 1, 0, 4), np.array([1, 2**63, 0], np.uint64)),
        [
            16529917146279359725,
            7424870731553757380,
            2354538384238015560,
            16678503752600573653,
            9704454096546067831,
            1949807738400237782,
        ],
    ),
    "counted": (
        Call(Key(137, 2, 1, 0, 4)),
        [
            15057615354982133668,
            16252356763880421786,
            16396285521688943399,
            16673174808626073892,
            8948141717622227913,
            8696661873127607810,
        ],
    ),
}


@pytest.mark.parametrize("call", GOLDEN_SEEDS)
def test_seeds_never_change(call: str) -> None:
    keyed, expected = GOLDEN_SEEDS[call]
    assert keyed.seeds(3, 6).tolist() == expected


def test_the_keys_of_calls_never_change() -> None:
    mix = mixtransforms.MixUp(seed=137)
    mixtransforms.set_epoch(mix, 2, rank=1)
    assert mix.plan([SOLID, SOLID + 1]).key == Key(137, 2, 1, 0, 12254245316149978010)
    assert mix.plan(np.stack([SOLID, SOLID + 1])).key == Key(137, 2, 1, 0, 0)


def test_the_keys_of_pipelines_never_change() -> None:
    mixing = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    pipeline = mixing.BatchCompose([mixing.MixUp(), mixing.CutMix()], seed=137)
    mixtransforms.set_epoch(pipeline, 2, rank=1)
    plans = pipeline.trace([{"image": SOLID}, {"image": SOLID + 1}]).plans
    step = 12254245316149978010  # that of the mix alone, at every door
    assert [plan.key for plan in plans] == [Key(137, 2, 1, 1 << 16, step), Key(137, 2, 1, 1 << 16 | 1, step)]


def test_a_batch_is_known_by_the_order_of_its_samples() -> None:
    mixing = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    pipeline = mixing.BatchCompose([mixing.MixUp()], seed=137)
    samples = [{"image": picture(index)} for index in range(4)]
    forwards, backwards, again = (pipeline.trace(given).plans[0].key for given in (samples, samples[::-1], samples[:]))
    assert forwards == again != backwards


def test_nothing_is_looked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding takes far longer than hashing a small image; it is done once for all samples of a form."""
    looked, roots = [], identity._roots
    monkeypatch.setattr(identity, "_roots", lambda *args, **named: looked.append(1) or roots(*args, **named))
    identities([(picture(index), index) for index in range(20)] + [{"image": A}] * 3, PLAIN)
    assert len(looked) == 2


def test_names_dtypes_and_shapes_do_not_run_into_each_other() -> None:
    """Every leaf is told from the next by more than its length."""
    leaves = [
        [("a", np.zeros(2, np.uint8)), ("b", np.zeros(1, np.uint8))],
        [("a", np.zeros(1, np.uint8)), ("b", np.zeros(2, np.uint8))],
        [("a", np.zeros(3, np.uint8))],
        [("a", np.zeros((3, 1), np.uint8))],
        [("ab", np.zeros(3, np.uint8))],
        [("a", "b|str|'c'"), ("c", "d")],
        [("a", "b"), ("c", "d")],
    ]
    assert len({content_hash(case) for case in leaves}) == len(leaves)
