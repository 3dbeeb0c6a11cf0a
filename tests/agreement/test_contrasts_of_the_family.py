"""What peers do with masks, boxes, labels and second pictures under the methods of the family, beside what ours do.

Every test first shows the peer's fault, then that none of our methods has it: labels are what is seen, and every target
follows the pixels. Methods are taken from the registry, so that a new one is asked the same. Peers that are not among the
requirements of the tests are re-enacted by the formula in their source; such tests say so.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import BoxRules
from mixtransforms.laws import Constant
from mixtransforms.methods.registry import METHODS

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = pytest.mark.filterwarnings("ignore:RandomCutMixV2 currently uses:DeprecationWarning")

SIZE, SHAPE = 4, (16, 24)
IDS = torch.arange(SIZE)
ROWS = torch.eye(SIZE)
OPTIONS: dict[str, dict[str, Any]] = {
    "MixUp": {"alpha": 1.0},
    "CopyBlend": {"min_area": 0, "count": 1},
    "OneOf": {"transforms": [mixtransforms.MixUp(alpha=1.0), mixtransforms.CutMix()]},
}
"""What a method cannot be built without, or would leave these small pictures alone."""

BLENDS = ("MixUp", "SmoothMix", "CopyBlend", "OneOf")
FAMILY = [name for name in METHODS if name != "Remix"]  # whose labels are meant to differ from what is seen
family = pytest.mark.parametrize("name", FAMILY)
MOVES = ("ResizeMix", "Mosaic")
pasting = pytest.mark.parametrize("name", [name for name in FAMILY if name not in BLENDS])


def method(name: str, **options: Any) -> Any:
    return getattr(mixtransforms, name)(**OPTIONS.get(name, {}), **options)


def lit(shape: tuple[int, int] = SHAPE, high: float = 1.0, dtype: Any = torch.float32) -> Any:
    """Pictures that are bright in the channel of their own number: a mixed one says how much it has of whom."""
    pictures: Any = torch.eye(SIZE)[:, :, None, None].expand(SIZE, SIZE, *shape) * high
    return pictures.to(dtype).contiguous()


def seen(images: Any, high: float = 1.0) -> Any:
    """``(B, S)``: result by source."""
    return images.double().mean(dim=(2, 3)) / high


def scene(images: Any) -> dict[str, Any]:
    """All that any method may ask for, of pictures ``(B, C, H, W)``: two objects a sample, a left and a right one.

    The label map has ``10 * sample``, and one more in the right half; saliency is greatest in the middle.
    """
    size, (height, width) = len(images), images.shape[-2:]
    half = torch.arange(width) >= width // 2
    halves = torch.stack([~half, half])[:, None, :].expand(2, height, width)
    boxes = torch.tensor([[0.0, 0, width // 2, height], [width // 2, 0, width, height]])
    return {
        "image": images,
        "label": torch.arange(size),
        "mask": (10 * torch.arange(size)[:, None, None] + half).expand(size, height, width).contiguous(),
        "boxes": [boxes.clone() for _ in range(size)],
        "masks": [halves.clone() for _ in range(size)],
        "ids": [torch.tensor([10 * row, 10 * row + 1]) for row in range(size)],
    }


def mixed(name: str, batch: dict[str, Any], seed: int = 0, **options: Any) -> dict[str, Any]:
    """The batch under a method; every box of which a pixel is left is told of."""
    rules = options.pop("boxes", BoxRules(0, min_size=0, min_area=0))
    out: dict[str, Any] = method(name, num_classes=SIZE, boxes=rules, seed=seed, **options)(batch)
    return out


def label_error(labels: Any, images: Any, high: float = 1.0) -> float:
    return float((labels.double() - seen(images, high)).abs().max())


# ------------------------------------------------------------------------------------------ labels


@pytest.fixture
def kornia() -> Any:
    return pytest.importorskip("kornia.augmentation", reason="kornia is not installed")


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Keras on torch, which it can be told of before it is imported only."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    module = pytest.importorskip("keras", reason="keras is not installed")
    if module.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend")
    return module


@pytest.fixture
def mixup() -> Any:
    """The package of that name on PyPI, which has ResizeMix, FMix and SaliencyMix as well."""
    return pytest.importorskip("mixup.methods", reason="mixup is not installed")


def theirs(peer: Any, name: str, images: Any, labels: Any) -> Iterator[tuple[Any, Any]]:
    for seed in range(20):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002, the peer's generator
        yield getattr(peer, name)()(images, labels)


@pytest.mark.parametrize("peers", ["CutMix", "ResizeMix"])
def test_bytes_leave_labels_to_the_partner(peers: str, mixup: Any) -> None:
    """The peer's weight has the dtype of the images: of bytes it is 0, unless nothing at all was pasted."""
    drawn = theirs(mixup, peers, lit(high=200, dtype=torch.uint8), ROWS)
    assert max(label_error(rows, images, 200) for images, rows in drawn) > 0.9


@pytest.mark.parametrize("peers", ["CutMix", "ResizeMix", "FMix"])
def test_labels_are_as_coarse_as_half_images(peers: str, mixup: Any) -> None:
    assert (
        max(label_error(rows, images) for images, rows in theirs(mixup, peers, lit(dtype=torch.bfloat16), ROWS)) > 1e-3
    )


@pytest.mark.full
def test_cells_at_the_border_count_by_their_part(keras: Any) -> None:
    """Keras: edges of boxes are fractions; the label has the area, and the image whole pixels."""
    errors = []
    for seed in range(10):
        layer = keras.layers.CutMix(seed=seed, data_format="channels_first")
        out = layer({"images": lit((7, 7)), "labels": ROWS}, training=True)
        errors.append(label_error(out["labels"].cpu(), out["images"].cpu()))
    assert max(errors) > 0.1


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float32], ids=str)
@family
def test_labels_are_what_is_seen(name: str, dtype: Any) -> None:
    """The three faults above, and whatever else sets labels and pixels apart."""
    high, rounded = {torch.uint8: (200, 0.51 / 200), torch.bfloat16: (1, 2**-8)}.get(dtype, (1, 1e-6))
    for seed, shape in enumerate([SHAPE, (7, 7)]):
        out = mixed(name, scene(lit(shape, high, dtype)), seed)
        assert out["image"].dtype == dtype
        assert out["label"].dtype == torch.float32
        assert label_error(out["label"], out["image"], high) <= (rounded if name in BLENDS else 1e-6)


@pytest.mark.parametrize("peers", ["CutMix", "ResizeMix", "FMix"])
def test_class_ids_become_means_of_class_ids(peers: str, mixup: Any) -> None:
    drawn = [rows for _, rows in theirs(mixup, peers, lit(), IDS)]
    assert all(rows.shape == (SIZE,) for rows in drawn)
    assert any(bool((rows != rows.round()).any()) for rows in drawn)
    for name in FAMILY:
        out = mixed(name, scene(lit()))
        assert out["label"].shape == (SIZE, SIZE)


def test_labels_of_every_sample_for_every_sample(mixup: Any) -> None:
    """SaliencyMix of the peer keeps the axes of the images in the weight, and labels get two of them."""
    assert {tuple(rows.shape) for _, rows in theirs(mixup, "SaliencyMix", lit(), ROWS)} == {(SIZE, 1, SIZE, SIZE)}
    batch = scene(lit())
    for name in FAMILY:
        assert mixed(name, batch | {"label": ROWS})["label"].shape == ROWS.shape


def test_several_pastes_tell_of_their_own_areas(kornia: Any) -> None:
    """kornia: patches cover one another; neither the mean nor the product of the weights is what is left of a sample."""
    cut = kornia.RandomCutMixV2(num_mix=3, p=1.0, data_keys=["input", "class"], use_correct_lambda=True)
    torch.manual_seed(0)
    images, told = cut(lit(), IDS)
    weight = told[..., 2]
    own = seen(images).diagonal()
    assert (weight.mean(dim=0) - own).abs().max() > 0.1
    assert (weight.prod(dim=0) - own).abs().max() > 0.01


# ------------------------------------------------------------------------------------------ masks and second pictures


def own_masks(batch: dict[str, Any], images: Any) -> Any:
    """The label map that the pixels say, where every pixel is of one sample: that of its owner, at the same place."""
    owner = images.argmax(dim=1)
    rows, columns = torch.meshgrid(*map(torch.arange, owner.shape[1:]), indexing="ij")
    return batch["mask"][owner, rows, columns]


def test_plain_masks_stay_where_images_move() -> None:
    """torchvision mixes the first plain tensor, and leaves label maps, depth maps and keypoints beside it."""
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    batch = {"image": lit(), "mask": scene(lit())["mask"], "depth": lit()[:, :1], "labels": IDS}
    for transform in (v2.CutMix(num_classes=SIZE), v2.MixUp(num_classes=SIZE)):
        out = transform(batch)
        assert not torch.equal(out["image"], batch["image"])
        assert torch.equal(out["mask"], batch["mask"])
        assert torch.equal(out["depth"], batch["depth"])


def test_pixels_of_masks_are_taken_for_labels() -> None:
    timm = pytest.importorskip("timm.data.mixup", reason="timm is not installed")
    images, rows = timm.Mixup(num_classes=50)(lit(), scene(lit())["mask"])
    assert images.shape == (SIZE, SIZE, *SHAPE)
    assert rows.shape == (SIZE * SHAPE[0] * SHAPE[1], 50)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_masks_get_the_channels_of_images(keras: Any) -> None:
    """Keras: CutMix repeats masks, MixUp picks single numbers of them and makes means of class ids."""
    batch = {"images": lit().movedim(1, -1), "segmentation_masks": scene(lit())["mask"][..., None]}
    cut = keras.layers.CutMix(seed=1)(batch, training=True)["segmentation_masks"].cpu()
    assert (cut.shape, cut.dtype) == ((SIZE, *SHAPE, SIZE), torch.float32)
    blend = keras.layers.MixUp(alpha=1.0, seed=1)(batch, training=True)["segmentation_masks"].cpu()
    assert blend.shape == (SIZE, *SHAPE, SIZE)
    assert not set(blend.unique().tolist()) <= set(batch["segmentation_masks"].unique().tolist())


@pytest.mark.parametrize("peers", ["RandomMixUpV2", "RandomCutMixV2", "RandomMosaic"])
def test_masks_are_refused_without_a_word(peers: str, kornia: Any) -> None:
    pipeline = kornia.AugmentationSequential(getattr(kornia, peers)(p=1.0), data_keys=["input", "mask"])
    with pytest.raises(NotImplementedError) as refusal:
        pipeline(lit(), scene(lit())["mask"][:, None].float())
    assert not str(refusal.value)


@pasting
def test_masks_follow_the_pixels(name: str) -> None:
    """The four faults above."""
    batch = scene(lit())
    for seed in range(3):
        out = mixed(name, batch, seed)
        assert (out["mask"].shape, out["mask"].dtype) == (batch["mask"].shape, torch.int64)
        if name not in MOVES:
            assert torch.equal(out["mask"], own_masks(batch, out["image"]))
        assert torch.equal(out["mask"] // 10, out["image"].argmax(dim=1))


@pytest.mark.parametrize("name", [name for name in BLENDS if name in METHODS])
def test_masks_of_a_blend_say_both(name: str) -> None:
    batch = scene(lit())
    out = mixed(name, batch)
    both = {"mask", "mask_partner", "mask_weight"} <= set(out)
    weight = out["mask_weight"] if both else torch.ones(())
    weight = weight.reshape(*weight.shape, *[1] * (3 - weight.ndim)) if both else weight
    blend = sum(
        part * torch.nn.functional.one_hot(out[key] // 10, SIZE).movedim(-1, 1)
        for key, part in (("mask", weight[:, None]), ("mask_partner", 1 - weight[:, None]))
        if key in out
    )
    torch.testing.assert_close(out["image"], blend.float(), rtol=0, atol=1e-5)


@pytest.fixture
def tiles() -> Callable[..., dict[str, Any]]:
    """Albumentations' mosaic of four samples, with options of its pipeline."""
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")

    def mosaic(samples: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        step = A.Mosaic(target_size=SHAPE, cell_shape=SHAPE, p=1.0)
        out: dict[str, Any] = A.Compose([step], seed=1, **options)(**samples[0], mosaic_metadata=samples[1:])
        return out

    return mosaic


def flat(value: int, *channels: int) -> Any:
    return np.full((*SHAPE, *channels), value, np.uint8)


def test_second_pictures_become_the_first(tiles: Callable[..., dict[str, Any]]) -> None:
    samples = [
        {"image": flat(row, 3), "depth": flat(100 + row, 3), "mask": flat(row), "parts": flat(50 + row)}
        for row in range(4)
    ]
    out = tiles(samples, additional_targets={"depth": "image", "parts": "mask"})
    np.testing.assert_array_equal(out["depth"], out["image"])
    np.testing.assert_array_equal(out["parts"], out["mask"])


@family
def test_second_pictures_are_mixed_as_the_first(name: str) -> None:
    batch = scene(lit()) | {"depth": lit(high=0.5) + 0.25}
    out = mixed(name, batch, kinds={"depth": "image"})
    torch.testing.assert_close(out["depth"], out["image"] * 0.5 + 0.25, rtol=0, atol=1e-6)


# ------------------------------------------------------------------------------------------ objects


def corner_boxes(row: int) -> dict[str, Any]:
    """Of Albumentations: a picture of one number that is an object as a whole."""
    return {"image": flat(row, 3), "bboxes": np.array([[0.0, 0, SHAPE[1], SHAPE[0]]]), "ids": [row]}


def test_what_a_tile_cuts_off_counts_as_seen(tiles: Callable[..., dict[str, Any]]) -> None:
    """Albumentations: visibility is asked of the canvas; a crop asks it of the object, and drops what is left."""
    import albumentations as A

    rules = A.BboxParams("pascal_voc", label_fields=["ids"], min_visibility=0.9)
    out = tiles([corner_boxes(row) for row in range(4)], bbox_params=rules)
    shares = [float((out["image"][..., 0] == row).mean()) for row in out["ids"]]
    assert len(shares) == 4
    assert min(shares) < 0.5
    cut = A.Compose([A.Crop(0, 0, 12, 16)], bbox_params=rules)(**corner_boxes(0))
    assert len(cut["bboxes"]) == 0


def in_one_piece(name: str, images: Any) -> list[int]:
    """Samples in whose mosaic nobody has two tiles, of which each has an object of its own; of other methods all."""
    owner = images.argmax(dim=1)
    tiles = owner[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    return [row for row in range(SIZE) if name != "Mosaic" or len(tiles[row].unique()) == 4]


@pytest.mark.parametrize("name", [name for name in FAMILY if name not in (*BLENDS, "ResizeMix", "CopyPaste")])
def test_boxes_are_kept_by_what_is_seen_of_them(name: str) -> None:
    """An object that is a whole picture is kept where its share is large enough."""
    batch = scene(lit())
    whole = torch.tensor([[0.0, 0, SHAPE[1], SHAPE[0]]])
    batch |= {"boxes": [whole] * SIZE, "ids": [torch.tensor([row]) for row in range(SIZE)]}
    del batch["masks"]
    for seed in range(5):
        out = mixed(name, batch, seed, boxes=BoxRules(0.5, min_size=0, min_area=0))
        shares = seen(out["image"])
        for row in in_one_piece(name, out["image"]):
            kept = torch.nonzero(shares[row] >= 0.5 - 1e-9).flatten()
            assert sorted(out["ids"][row].tolist()) == kept.tolist()


def test_instance_masks_become_label_maps(tiles: Callable[..., dict[str, Any]]) -> None:
    """Albumentations: as many masks as the first sample had, each of them the whole label map."""
    samples = [{"image": flat(row, 3), "mask": flat(row), "masks": [flat(90), flat(91)]} for row in range(4)]
    out = tiles(samples)
    assert len(out["masks"]) == 2
    for mask in out["masks"]:
        np.testing.assert_array_equal(mask, out["mask"])


@pytest.mark.parametrize(
    ("key", "peers"),
    [
        ("keypoints", "RandomMosaic"),
        ("class", "RandomMosaic"),
        ("bbox_xyxy", "RandomMixUpV2"),
        ("bbox_xyxy", "RandomCutMixV2"),
    ],
)
def test_what_goes_with_boxes_is_refused(key: str, peers: str, kornia: Any) -> None:
    """kornia: a mosaic has boxes of four images, and cannot be told whose labels and points they have."""
    step = getattr(kornia, peers)(p=1.0, data_keys=["input", key])
    given = {"keypoints": torch.ones(SIZE, 1, 2), "class": IDS, "bbox_xyxy": torch.ones(SIZE, 1, 4)}
    with pytest.raises((NotImplementedError, RuntimeError)):
        step(lit(), given[key])


@pytest.mark.parametrize("name", [name for name in FAMILY if name not in (*BLENDS, "ResizeMix")])
def test_objects_are_told_of_where_they_are_seen(name: str) -> None:
    """The two faults above: boxes, masks and names of objects are those of the pixels, however many sources there are."""
    batch = scene(lit())
    for seed in range(8):
        out = mixed(name, batch, seed)
        for row in in_one_piece(name, out["image"]):
            visible = {int(number): out["mask"][row] == number for number in out["mask"][row].unique()}
            told = out["ids"][row].tolist()
            assert sorted(told) == sorted(visible) or name == "CopyPaste"  # which leaves what it has not chosen behind
            assert set(told) <= set(visible)
            for number, box, mask in zip(told, out["boxes"][row], out["masks"][row], strict=True):
                assert torch.equal(mask.bool(), visible[number])
                rows, columns = torch.nonzero(visible[number], as_tuple=True)
                assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


# ------------------------------------------------------------------------------------------ re-enacted


def smoothmix_kernel(shape: tuple[int, int], centre: tuple[int, int], deviation: float) -> Any:
    """OpenMixup's weight of the partner, a bump; what it calls the share of the sample is the mean of that."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * deviation**2))


@pytest.mark.skipif("SmoothMix" not in METHODS, reason="SmoothMix is not there")
def test_the_share_of_the_partner_is_called_the_samples() -> None:
    """OpenMixup's SmoothMix, re-enacted: labels are exchanged."""
    kernel = smoothmix_kernel((16, 16), (8, 8), 4.0)
    own = (1 - kernel).mean()
    assert abs(kernel.mean() - own) > 0.2
    out = mixed("SmoothMix", scene(lit()))
    assert label_error(out["label"], out["image"]) <= 1e-6
    assert 0.5 < float(out["label"].diagonal().mean()) < 1  # a bump leaves most of a sample as it is


def resized_into(images: Any, scale: float, centre: tuple[int, int]) -> Any:
    """OpenMixup's and mlxops-aug's ResizeMix: the first number of a box is of rows where it is drawn, of columns after."""
    sides = [int(length * scale) for length in images.shape[2:]]
    ends = [
        np.clip([at - side // 2, at + side // 2], 0, n)
        for at, side, n in zip(centre, sides, images.shape[2:], strict=True)
    ]
    (left, right), (top, bottom) = ends
    small = torch.nn.functional.interpolate(images.roll(1, 0), (int(bottom - top), int(right - left)))
    images[:, :, top:bottom, left:right] = small
    return images


def test_boxes_of_wide_images_are_those_of_high_ones() -> None:
    """ResizeMix of OpenMixup and mlxops-aug, re-enacted: most calls with wide images fail, and the batch is changed."""
    rng, failed = np.random.default_rng(0), 0
    for _ in range(100):
        try:
            resized_into(lit((16, 32)), rng.uniform(0.1, 0.8), (rng.integers(16), rng.integers(32)))
        except RuntimeError:
            failed += 1
    assert failed > 30
    square = lit((16, 16))
    resized_into(square, 0.5, (8, 8))
    assert not torch.equal(square, lit((16, 16)))


@family
def test_no_batch_is_changed(name: str) -> None:
    batch, before = scene(lit((16, 32))), scene(lit((16, 32)))
    mixed(name, batch)
    for key, value in before.items():
        pairs = zip(batch[key], value, strict=True) if isinstance(value, list) else [(batch[key], value)]
        assert all(torch.equal(one, other) for one, other in pairs), key


def spots(shape: tuple[int, int] = SHAPE) -> tuple[Any, list[tuple[int, int]]]:
    """Dark pictures with one bright pixel each, every one elsewhere."""
    places = [(2, 3), (12, 5), (7, 20), (14, 22)]
    images = torch.zeros(SIZE, 3, *shape)
    for row, (y, x) in enumerate(places):
        images[row, :, y, x] = 1
    return images, places


@pytest.mark.skipif("SaliencyMix" not in METHODS, reason="SaliencyMix is not there")
def test_one_saliency_for_the_whole_batch() -> None:
    """OpenMixup's and mlxops-aug's SaliencyMix, re-enacted: the box is that of the first partner, for everybody."""
    images, places = spots()
    partner = [1, 2, 3, 0]
    (y, x), side = places[partner[0]], 2
    theirs = [bool(images[row, 0, y - side : y + side, x - side : x + side].any()) for row in partner]
    assert theirs == [True, False, False, False]
    mix = method("SaliencyMix", weight=Constant(0.9), seed=0)
    plan = mix.plan(images)
    (layer,) = plan.layers
    for row, start, stop in zip(layer.rows, layer.region.start, layer.region.stop, strict=True):
        y, x = places[plan.partner[row]]
        assert start[0] <= y < stop[0]
        assert start[1] <= x < stop[1]


@pytest.mark.skipif("AttentiveCutMix" not in METHODS, reason="AttentiveCutMix is not there")
def test_six_cells_of_the_sample_and_the_rest_of_its_partner() -> None:
    """OpenMixup's AttentiveMix, re-enacted: the sample keeps 6 of 49 cells, where the paper pastes 6 of the partner."""
    mask = np.zeros(49)
    mask[:6] = 1
    assert mask.mean() < 0.13
    plan = method("AttentiveCutMix").plan(torch.rand(SIZE, 3, 28, 42, generator=torch.Generator().manual_seed(0)))
    np.testing.assert_allclose(plan.weight, 43 / 49, atol=1e-12)


@pytest.mark.skipif("CopyPaste" not in METHODS, reason="CopyPaste is not there")
def test_a_tenth_of_nine_objects_is_none() -> None:
    """Two implementations of Copy-Paste, re-enacted.

    conradry's pastes ``int(n * 0.1)`` objects, none of fewer than ten. segpaste cuts what it pastes out of the masks of
    the sample, and not out of those that it has pasted before.
    """
    assert [int(count * 0.1) for count in range(1, 10)] == [0] * 9
    left, upper = np.zeros((2, *SHAPE), bool)
    left[:, :12], upper[:8] = True, True
    assert (left & upper).any(), "both are pasted, and both masks are kept whole"
    batch = scene(lit())
    batch["masks"] = [torch.from_numpy(np.stack([left, upper]))] * SIZE
    batch["boxes"] = [torch.tensor([[0.0, 0, 12, 16], [0, 0, 24, 8]])] * SIZE
    for seed in range(5):
        out = mixed("CopyPaste", batch, seed, chance=0)
        for row, (images, ids) in enumerate(zip(out["image"], out["ids"], strict=True)):
            others = [number for number in ids.tolist() if number // 10 != row]
            assert len(others) == 1, "one object is always pasted"
            pasted = images.argmax(dim=0) == others[0] // 10
            (mask,) = (
                mask for mask, number in zip(out["masks"][row], ids.tolist(), strict=True) if number == others[0]
            )
            assert torch.equal(mask.bool(), pasted)
            kept = [mask for mask, number in zip(out["masks"][row], ids.tolist(), strict=True) if number != others[0]]
            assert not any((mask.bool() & pasted).any() for mask in kept)
