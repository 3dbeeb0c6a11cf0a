"""Targets of other sizes and rates than the images: what the pixels of the images say, reduced block by block."""

from typing import Any

import numpy as np
import pytest
from forms import host

import mixtransforms
from mixtransforms import BatchSpec, Boxes, CutMix, InputError, Layer, Mask, MixUp, OneOf, Plan
from mixtransforms.targets.mask import MaskPair, SemanticMask

SIZE, K, COARSE, FINE = 4, 4, (6, 8), (24, 32)
BACKENDS = ("numpy", "torch")


def given(values: Any, backend: str) -> Any:
    """An array of a backend."""
    if backend == "numpy":
        return values
    return pytest.importorskip("torch").from_numpy(np.ascontiguousarray(values))


def images(backend: str, shape: Any = FINE) -> Any:
    values = np.random.default_rng(0).random((SIZE, *shape, 3), np.float32)
    return given(values if backend == "numpy" else np.moveaxis(values, -1, 1), backend)


def aligned(k: int = K, opacity: float = 1.0) -> Plan:
    """Boxes, and over them masks, whose edges fall on cells of ``k * k`` pixels; one sample stays as it is."""
    rng = np.random.default_rng(k)
    start, stop = np.sort(rng.integers(0, np.add(COARSE, 1), (2, 3, 2)), axis=0)
    mask = np.random.default_rng(1).random((2, *COARSE)) < 0.4
    return Plan(
        BatchSpec(SIZE, (COARSE[0] * k, COARSE[1] * k)),
        (
            Layer([0, 1, 2], [1, 2, 0], opacity, Boxes(start * k, stop * k)),
            Layer([1, 2], [3, 1], 1.0, Mask(mask.repeat(k, 1).repeat(k, 2))),
        ),
    )


def grown(values: Any, k: int = K) -> Any:
    """Every cell of ``(B, H, W)`` as ``k * k`` pixels."""
    return values.repeat(k, 1).repeat(k, 2)


def reduced(values: Any, k: int = K) -> Any:
    """One pixel of every ``k * k``, which all must be the same."""
    assert (grown(values[:, ::k, ::k], k) == values).all()
    return values[:, ::k, ::k]


IDS = np.random.default_rng(2).integers(0, 5, (SIZE, *COARSE))


# Masks at a stride -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["array", "list", "tv_tensor", "channel", "samples"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_label_maps_at_a_stride_are_pasted_as_pixels_are(k: int, backend: str, form: str) -> None:
    plan, fine = aligned(k), images(backend, np.multiply(COARSE, k))
    mix = CutMix(1.0, seed=0)
    wanted = reduced(host(mix.replay(plan, {"image": fine, "mask": given(grown(IDS, k), backend)})["mask"]), k)
    mask = given(IDS, backend)
    if form == "channel":
        mask = mask[:, None] if backend == "torch" else mask[..., None]
    if form == "tv_tensor":
        mask = pytest.importorskip("torchvision.tv_tensors").Mask(host(mask))
        fine = given(np.moveaxis(host(fine), -1, 1), "torch") if backend == "numpy" else fine
    batch: Any = {"image": fine, "mask": list(mask) if form == "list" else mask}
    if form == "samples":
        batch = [{"image": image, "mask": own} for image, own in zip(fine, mask, strict=True)]
    got = mix.replay(plan, batch)["mask"]
    assert type(got) is (type(mask) if form not in ("list", "samples") else list if form == "list" else type(mask))
    np.testing.assert_array_equal(np.stack([host(own) for own in got]).reshape(IDS.shape), wanted)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("masks", ["pair", "soft", "dominant"])
def test_blended_masks_at_a_stride(masks: str, backend: str) -> None:
    plan = aligned(K, 0.25)
    mix = MixUp(masks=masks, num_classes=5)
    batches = [{"image": images(backend), "mask": given(own, backend)} for own in (grown(IDS), IDS)]
    fine, coarse = (mix.replay(plan, batch) for batch in batches)
    for name in ("mask", *(("mask_partner",) if masks == "pair" else ())):
        whole, own = host(fine[name]), host(coarse[name])
        if masks == "soft":
            whole, own = (np.moveaxis(maps, -3, -1) if backend == "torch" else maps for maps in (whole, own))
        np.testing.assert_allclose(own, whole[:, ::K, ::K], atol=1e-6)
    if masks == "pair":
        np.testing.assert_array_equal(host(coarse["mask_weight"]), host(fine["mask_weight"]))


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_drawn_is_rounded_to_cells(method: Any, backend: str) -> None:
    mix = method(1.0, seed=3, masks="dominant")
    batch = {"image": images(backend), "mask": given(IDS, backend)}
    plan = mix.plan(batch)
    got = host(mix.replay(plan, batch)["mask"])
    if method is CutMix:
        np.testing.assert_array_equal(got, plan.on(COARSE).apply(IDS[..., None])[..., 0])
    else:
        np.testing.assert_array_equal(got, np.where(plan.weight[:, None, None] >= 0.5, IDS, IDS[plan.partner]))


def test_soft_edges_have_a_weight_for_every_cell() -> None:
    soft = np.random.default_rng(3).random((SIZE, *FINE))
    plan = Plan(BatchSpec(SIZE, FINE), (Layer(range(SIZE), [1, 2, 3, 0], 0.5, Mask(soft)),))
    got = MixUp().replay(plan, {"image": images("numpy"), "mask": IDS})
    mean = soft.reshape(SIZE, COARSE[0], K, COARSE[1], K).mean(axis=(2, 4))
    np.testing.assert_allclose(got["mask_weight"], 1 - 0.5 * mean, atol=1e-7)
    np.testing.assert_array_equal(got["mask_partner"], IDS[[1, 2, 3, 0]])


def test_labels_of_frames_at_another_rate() -> None:
    """A class a frame beside sound; the cut is where it is in the sound."""
    sound = np.random.default_rng(4).random((SIZE, 1, 1600)).astype(np.float32)
    frames = np.random.default_rng(5).integers(0, 9, (SIZE, 100))
    plan = Plan(BatchSpec(SIZE, (1600,)), (Layer([0, 2], [1, 3], 1.0, Boxes([[160], [0]], [[800], [16]])),))
    got = CutMix(layout="BCT", kinds={"events": "mask"}).replay(plan, {"audio": sound, "events": frames})["events"]
    wanted = frames.copy()
    wanted[0, 10:50], wanted[2, :1] = frames[1, 10:50], frames[3, :1]
    np.testing.assert_array_equal(got, wanted)


def test_maps_of_fewer_and_smaller_frames_of_a_video() -> None:
    video, maps = np.zeros((2, 8, 3, 16, 24), np.float32), np.random.default_rng(6).integers(0, 9, (2, 4, 1, 4, 6))
    plan = Plan(BatchSpec(2, (16, 24)), (Layer([0], [1], 1.0, Boxes([[4, 8]], [[12, 24]])),))
    mix = CutMix(layout="BTCHW")
    got = mix.replay(plan, {"video": video, "mask": maps[:, :, 0]})["mask"]
    wanted = maps[:, :, 0].copy()
    wanted[0, :, 1:3, 2:] = maps[1, :, 0, 1:3, 2:]
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (32, 24),
            r"got shape \(4, 32, 24\), with height and width the wrong way round; wanted axes \(24, 32\), or these",
        ),
        ((16, 12), r"height and width the wrong way round"),
        ((8, 6), r"height and width the wrong way round"),
        ((48, 64), r"another size than the images .* wanted axes \(24, 32\), or these at a stride"),
        ((12, 32), r"another size"),
        ((12, 8), r"another size"),
        ((5, 7), r"another size"),
        ((1, 1), r"another size"),
        ((24, 1), r"another size"),
        ((0, 0), r"another size"),
    ],
)
def test_masks_that_show_something_else_are_refused(method: Any, shape: Any, message: str) -> None:
    batch = {"image": images("numpy"), "mask": np.zeros((SIZE, *shape), int)}
    with pytest.raises(InputError, match=message):
        method()(batch)


def test_a_turned_mask_is_refused_whatever_is_declared() -> None:
    mix = CutMix(kinds={"mask": SemanticMask(any_size=True)})
    batch = {"image": images("numpy"), "mask": np.zeros((SIZE, 32, 24), int)}
    with pytest.raises(InputError, match=r"Swap height and width, as mask\.swapaxes\(-2, -1\)"):
        mix(batch)
    mix({**batch, "mask": batch["mask"].swapaxes(-2, -1)})  # what the error says


@pytest.mark.parametrize("shape", [(48, 64), (12, 32), (5, 7), (1, 1), (25, 33)])
def test_masks_of_any_size_are_a_word_of_the_user(shape: Any) -> None:
    ids = np.random.default_rng(0).integers(0, 9, (SIZE, *shape))
    batch = {"image": images("numpy"), "mask": ids}
    with pytest.raises(InputError, match=r"say kinds=\{'mask': SemanticMask\(any_size=True\)\}"):
        CutMix(1.0, seed=1)(batch)
    mix = CutMix(1.0, seed=1, kinds={"mask": SemanticMask(any_size=True)})
    plan = mix.plan(batch)
    np.testing.assert_array_equal(mix.replay(plan, batch)["mask"], plan.on(shape).apply(ids[..., None])[..., 0])


def test_classes_of_frames_are_not_taken_for_frames() -> None:
    """(B, frames, classes) beside sound channels first: both axes divide its length."""
    sound, maps = np.zeros((SIZE, 1, 1600), np.float32), np.random.default_rng(0).random((SIZE, 100, 10))
    with pytest.raises(
        InputError, match=r"Which axis of the mask is that of channels .*fits the images both ways; wanted ch"
    ):
        CutMix(layout="BCT")({"audio": sound, "mask": maps})
    moved = np.moveaxis(maps, -1, 1)
    mix = CutMix(1.0, seed=2, layout="BCT", kinds={"mask": SemanticMask(any_size=True)})  # what the error says
    batch = {"audio": sound, "mask": moved}
    plan = mix.plan(batch)
    np.testing.assert_array_equal(mix.replay(plan, batch)["mask"], plan.on((100,)).apply(moved, "BCT"))
    named = CutMix(1.0, seed=2, layout="BCT").replay(plan, {"audio": sound, "mask": moved[:, :7]})["mask"]
    np.testing.assert_array_equal(named, plan.on((100,)).apply(moved[:, :7], "BCT"))


def test_any_size_is_written_and_read() -> None:
    mix = CutMix(kinds={"seg": SemanticMask(any_size=True)})
    assert repr(mix) == "CutMix(kinds={'seg': SemanticMask(any_size=True)})"
    assert repr(mixtransforms.from_json(mixtransforms.to_json(mix))) == repr(mix)


def test_keep_originals_and_pairs_of_a_choice() -> None:
    mix = OneOf([MixUp(1.0), CutMix(1.0)], seed=1, keep_originals=True)
    got = mix((images("numpy"), {"mask": IDS, "x": None}))[1]
    assert isinstance(MaskPair(got["mask"], got["mask_partner"], got["mask_weight"]), MaskPair)
    np.testing.assert_array_equal(got["mask"][:SIZE], IDS)
    assert got["mask"].shape == got["mask_partner"].shape == (2 * SIZE, *COARSE)


# Padding of pictures ---------------------------------------------------------------------------------------------------


def pixel_masks(*heights_and_widths: tuple[int, int], shape: tuple[int, int] = (4, 4)) -> Any:
    masks = np.zeros((len(heights_and_widths), *shape), np.int64)
    for mask, (height, width) in zip(masks, heights_and_widths, strict=True):
        mask[:height, :width] = 1
    return masks


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8", "int32"])
def test_pixel_masks_are_united_where_images_blend(dtype: str, backend: str) -> None:
    masks = np.array([[[1] * 4] * 2 + [[0] * 4] * 2, [[1, 1, 1, 0]] * 4]).astype(dtype)
    batch = {"pixel_values": given(np.ones((2, 3, 4, 4), np.float32), backend), "pixel_mask": given(masks, backend)}
    got = MixUp(1.0, seed=0, layout="channels_first")(batch)["pixel_mask"]
    assert (host(got) == np.array([[1] * 4] * 2 + [[1, 1, 1, 0]] * 2)).all()
    assert got.dtype == batch["pixel_mask"].dtype


@pytest.mark.parametrize("method", ["blend", "paste", "halves", "soft", "coats"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_pixel_masks_say_where_any_image_is_seen(method: str, backend: str) -> None:
    """Whatever is painted: a pixel counts if one of those who are seen there is no padding, by a weight however small."""
    rng = np.random.default_rng(0)
    plans = {"blend": [Layer(range(4), [1, 2, 3, 0], [1e-300, 0.5, 1.0, 0.0])], "paste": list(aligned(2).layers)}
    plans["halves"] = [Layer(range(4), [1, 2, 3, 0], 0.5, Boxes([[2, 2]] * 4, [[9, 12]] * 4))]
    plans["soft"] = [Layer(range(4), [1, 2, 3, 0], 0.7, Mask(np.clip(rng.random((4, 12, 16)) * 2 - 0.5, 0, 1)))]
    plans["coats"] = [*plans["blend"], *plans["soft"], *plans["halves"], *plans["paste"]]
    plan = Plan(BatchSpec(SIZE, (12, 16)), tuple(plans[method]))
    masks = pixel_masks((12, 10), (7, 16), (12, 16), (3, 3), shape=(12, 16))
    seen = np.zeros((SIZE, SIZE, 12, 16), bool)  # whom, by whom, where
    seen[range(SIZE), range(SIZE)] = True
    for layer in plan.layers:
        for row, source, field in zip(layer.rows, layer.source, layer.field((12, 16)), strict=True):
            seen[row] &= field < 1
            seen[row, source] |= field > 0
    wanted = (seen & masks.astype(bool)[None]).any(axis=1)
    mix = OneOf([MixUp(), CutMix()])
    got = mix.replay(plan, {"image": images(backend, (12, 16)), "pixel_mask": given(masks, backend)})["pixel_mask"]
    np.testing.assert_array_equal(host(got), wanted)


def test_pixel_masks_of_a_video_are_one_a_frame_or_one_for_all() -> None:
    plan = Plan(BatchSpec(2, (4, 4)), (Layer([0], [1], 1.0, Boxes([[0, 0]], [[4, 2]])),))
    video, one = np.zeros((2, 3, 1, 4, 4), np.float32), pixel_masks((4, 4), (2, 2))
    mix = CutMix(layout="BTCHW")
    wanted = one.copy()
    wanted[0, :, :2] = one[1, :, :2]
    np.testing.assert_array_equal(mix.replay(plan, {"video": video, "pixel_mask": one})["pixel_mask"], wanted)
    each = np.repeat(one[:, None], 3, axis=1)
    got = mix.replay(plan, {"video": video, "pixel_mask": each})["pixel_mask"]
    np.testing.assert_array_equal(got, np.repeat(wanted[:, None], 3, axis=1))


def test_pixel_masks_beside_detections() -> None:
    """As processors of Hugging Face hand them over: labels are a list of dicts, padding is known by its name."""
    torch = pytest.importorskip("torch")
    told = [{"class_labels": torch.tensor([n]), "boxes": torch.tensor([[1.0, 1, 6, 6]])} for n in range(2)]
    masks = torch.from_numpy(pixel_masks((8, 5), (6, 8), shape=(8, 8)))
    batch = {"pixel_values": torch.rand(2, 3, 8, 8) * masks[:, None], "pixel_mask": masks, "labels": told}
    mix = CutMix(1.0, seed=4)
    plan = mix.plan(batch)
    got = mix.replay(plan, batch)
    assert torch.equal(got["pixel_mask"], plan.apply(masks[:, None])[:, 0])
    assert not (got["pixel_values"] * (1 - got["pixel_mask"][:, None])).any(), "padding is where there is no picture"


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("form", ["samples", "lists"])
def test_padded_images_and_their_masks_grow_alike(form: str, inverted: bool) -> None:
    torch = pytest.importorskip("torch")
    sizes = [(4, 6), (5, 3)]
    pictures, masks = (
        [torch.ones(3, *size) for size in sizes],
        [torch.ones(size, dtype=torch.bool) ^ inverted for size in sizes],
    )
    kinds = {"where": mixtransforms.Padding(inverted=inverted)}
    mix = MixUp(1.0, seed=0, pad="max", kinds=kinds)
    batch: Any = {"image": pictures, "where": masks}
    if form == "samples":
        batch = [{"image": image, "where": mask} for image, mask in zip(pictures, masks, strict=True)]
    got = mix(batch)
    union = pixel_masks((4, 6), shape=(5, 6))[0] | pixel_masks((5, 3), shape=(5, 6))[0]
    for image, where in zip(got["image"], got["where"], strict=True):
        np.testing.assert_array_equal(host(where) ^ inverted, union)
        np.testing.assert_array_equal(host(image).any(axis=0), union)


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 8), (2, 4, 2), (2, 1, 4, 4), (2, 2, 2)])
def test_padding_of_other_images_is_refused(shape: Any) -> None:
    with pytest.raises(
        InputError, match=r"The padding is of other sequences \(batch\['pixel_mask'\]\): got shape .* beside"
    ):
        MixUp()({"image": np.zeros((2, 4, 4, 3)), "pixel_mask": np.ones(shape, bool)})


def test_values_of_pixel_masks_are_zeros_and_ones() -> None:
    with pytest.raises(InputError, match=r"Other numbers than zeros and ones .*: got \[7\] in rows \[1\]"):
        MixUp()(
            {
                "image": np.zeros((2, 4, 4, 3)),
                "pixel_mask": pixel_masks((1, 1), (2, 2)) * np.array([1, 7])[:, None, None],
            }
        )


# Lengths ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["array", "list", "samples", "torch"])
def test_a_blend_is_as_long_as_its_longest_source(kind: str) -> None:
    sequences, lengths = [np.ones((length, 2), np.float32) for length in (3, 5, 4)], np.array([3, 5, 4])
    mix = MixUp(layout="BTC", pad="max")
    plan = Plan(BatchSpec(3, (5,)), (Layer([0, 1, 2], [1, 0, 0], [0.25, 1.0, 0.0]),))
    batch: Any = {"x": sequences, "lengths": lengths}
    if kind == "list":
        batch["lengths"] = lengths.tolist()
    if kind == "samples":
        batch = [{"x": own, "lengths": int(length)} for own, length in zip(sequences, lengths, strict=True)]
    if kind == "torch":
        torch = pytest.importorskip("torch")
        batch = {"x": list(map(torch.from_numpy, sequences)), "lengths": torch.from_numpy(lengths).to(torch.uint8)}
    got = mix.replay(plan, batch)
    assert host(got["lengths"]).tolist() == [5, 3, 4]
    assert [int((host(own) != 0).any(axis=1).sum()) for own in got["x"]] == [5, 3, 4], "as the sequences say themselves"
    if kind == "torch":
        assert got["lengths"].dtype == batch["lengths"].dtype


def test_lengths_of_two() -> None:
    for weight, wanted in ((0.5, [5, 5]), (0.0, [3, 5])):
        plan = Plan(BatchSpec(2, (5,)), (Layer([0, 1], [1, 0], weight),))
        batch = {"x": [np.ones((3, 1)), np.ones((5, 1))], "lengths": [3, 5]}
        assert MixUp(layout="BTC", pad="max").replay(plan, batch)["lengths"].tolist() == wanted


def test_lengths_beside_a_paste_are_refused_and_the_mask_is_pasted() -> None:
    lengths, x = np.array([3, 5]), np.arange(20.0).reshape(2, 5, 2) + 1
    x[0, 3:] = 0
    mix = CutMix(1.0, seed=1, layout="BTC")
    with pytest.raises(
        InputError, match=r"Lengths beside a method that pastes \(batch\['lengths'\]\): .* Use MixUp, or give att"
    ):
        mix({"x": x, "lengths": lengths})
    with pytest.raises(InputError, match="Lengths beside a method that pastes"):
        OneOf([MixUp(), CutMix()], layout="BTC")({"x": x, "lengths": lengths})
    mask = np.arange(5) < lengths[:, None]  # what the error says
    got = mix({"x": x, "attention_mask": mask})
    np.testing.assert_array_equal(got["attention_mask"], got["x"][..., 0] != 0)
    plan = mix.plan({"x": x})
    with pytest.raises(InputError, match="Lengths beside a method that pastes"):
        MixUp(layout="BTC").replay(plan, {"x": x, "lengths": lengths})


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (
            np.array([3, 6]),
            r"Lengths out of range \(batch\['lengths'\]\): got \[6\] in rows \[1\]; wanted .* from 0 to 5, the",
        ),
        (np.array([-1, 5]), r"Lengths out of range .*: got \[-1\] in rows \[0\]"),
        (
            np.array([0.6, 1.0]),
            r"Not lengths .*: got shape \(2,\) float64; wanted \(B,\) integers.* Multiply relative lengths",
        ),
        (np.array([[3, 5]] * 2), r"Not lengths .*: got shape \(2, 2\)"),
        (np.array([True, False]), r"Not lengths .*bool"),
    ],
)
def test_what_are_no_lengths(lengths: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MixUp(layout="BTC")({"x": np.zeros((2, 5, 2)), "lengths": lengths})


# Images of other sizes -------------------------------------------------------------------------------------------------


def provenance(shape: Any, backend: str = "numpy") -> Any:
    """Images in which a channel a sample says who is seen."""
    values = np.broadcast_to(np.eye(SIZE, dtype=np.float32)[:, None, None], (SIZE, *shape, SIZE)).copy()
    return given(values if backend == "numpy" else np.moveaxis(values, -1, 1), backend)


def last(values: Any) -> Any:
    return host(values) if isinstance(values, np.ndarray) else np.moveaxis(host(values), 1, -1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(16, 16), (5, 7), (64, 64), (1, 40)])
def test_views_of_other_sizes_blend_by_one_weight(shape: Any, backend: str) -> None:
    views = [provenance((32, 32), backend), provenance(shape, backend)]
    mix = MixUp(1.0, seed=0, num_classes=SIZE)
    plan = mix.plan((views, np.arange(SIZE) if backend == "numpy" else given(np.arange(SIZE), backend)))
    (first, second), labels = mix.replay(plan, (views, given(np.arange(SIZE), backend)))
    for view in (first, second):
        np.testing.assert_allclose(
            last(view), np.broadcast_to(host(labels)[:, None, None], last(view).shape), atol=1e-6
        )
    assert second.shape == views[1].shape


@pytest.mark.parametrize("form", ["views", "names", "samples"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_views_of_other_sizes_are_cut_alike(backend: str, form: str) -> None:
    plan, small, large = aligned(4, 0.25), provenance(COARSE, backend), provenance(FINE, backend)
    wanted = last(large)
    mix = OneOf([MixUp(), CutMix()], kinds={"depth": "image"})
    batch: Any = {"image": large, "depth": small}
    if form == "views":
        batch = {"image": [large, small]}
    if form == "samples":
        batch = [{"image": image, "depth": depth} for image, depth in zip(large, small, strict=True)]
    got = mix.replay(plan, batch)
    first, second = got["image"] if form == "views" else (got["image"], got["depth"])
    np.testing.assert_allclose(last(first)[:, ::4, ::4], last(second), atol=1e-6)
    np.testing.assert_array_equal(last(first), last(mix.replay(plan, {"image": large})["image"]))
    assert not np.array_equal(last(first), wanted)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_drawn_for_views_is_what_plan_on_says(backend: str) -> None:
    views = [
        provenance((32, 32), backend),
        provenance((14, 14), backend),
        provenance((32, 32), backend),
        provenance((96, 96), backend),
    ]
    mix = CutMix(1.0, seed=5)
    plan = mix.plan({"image": views})
    for got, view in zip(mix.replay(plan, {"image": views})["image"], views, strict=True):
        np.testing.assert_array_equal(host(got), host(plan.on(last(view).shape[1:3]).apply(view)))


def test_views_of_other_sizes_in_place_and_beside_their_originals() -> None:
    large, small = provenance((32, 32)), provenance((16, 16))
    wanted = CutMix(1.0, seed=5)(([large, small],))[0]
    twice = CutMix(1.0, seed=5, keep_originals=True)(([large, small],))[0]
    for own, double, before in zip(wanted, twice, (large, small), strict=True):
        np.testing.assert_array_equal(double, np.concatenate([before, own]))
    inplace = [large.copy(), small.copy()]
    got = CutMix(1.0, seed=5, inplace=True)((inplace,))[0]
    for own, view, result in zip(wanted, inplace, got, strict=True):
        assert result is view
        np.testing.assert_array_equal(view, own)


@pytest.mark.parametrize("shape", [(24, 36), (36, 24), (32, 24), (40, 24), (1, 3), (12, 18)])
def test_views_of_another_aspect_have_no_place_for_a_region(shape: Any) -> None:
    batch = {"image": provenance((24, 32)), "depth": provenance(shape)}
    kinds: Any = {"depth": "image"}
    for mix in (CutMix(1.0, seed=1, kinds=kinds), OneOf([MixUp(), CutMix()], kinds=kinds)):
        with pytest.raises(
            InputError, match=r"Images of different sizes \(batch\['depth'\]\): got shape .*times one number"
        ):
            mix(batch)
    blend = MixUp(1.0, seed=1, kinds=kinds)
    blend(batch)
    plan = CutMix(1.0, seed=1).plan(batch["image"])
    with pytest.raises(InputError, match="Images of different sizes"):
        blend.replay(plan, batch)
    assert plan.on(shape).apply(batch["depth"]).shape == batch["depth"].shape  # what the error says


def test_rounded_ratios_are_one_ratio() -> None:
    for shape in ((12, 17), (1, 1), (7, 9), (33, 44), (16, 21), (18, 24), (2, 3)):
        CutMix(1.0, kinds={"b": "image"})({"image": provenance((24, 32)), "b": provenance(shape)})


def test_objects_belong_to_one_image() -> None:
    batch = {
        "image": provenance((32, 32)),
        "b": provenance((16, 16)),
        "boxes": [np.array([[1.0, 1, 9, 9]])] * SIZE,
        "labels": [[1]] * SIZE,
    }
    for method in (MixUp, CutMix):
        with pytest.raises(
            InputError, match=r"Images of different sizes .*, beside boxes or other objects; wanted height and w"
        ):
            method(kinds={"b": "image"})(batch)
    mix = CutMix(1.0, seed=2)  # what the error says
    rest = {name: value for name, value in batch.items() if name != "b"}
    plan = mix.plan(rest)
    mix.replay(plan, rest)
    small = plan.on((16, 16)).apply(batch["b"])
    assert small.shape == (SIZE, 16, 16, SIZE)


def test_a_remembered_structure_does_not_hide_another_size() -> None:
    mix = CutMix(1.0, seed=3, kinds={"b": "image"})
    for shape in ((16, 16), (32, 32), (16, 16), (8, 8)):
        batch = {"image": provenance((32, 32)), "b": provenance(shape)}
        plan = mix.plan(batch)
        np.testing.assert_array_equal(mix.replay(plan, batch)["b"], plan.on(shape).apply(batch["b"]))
    with pytest.raises(InputError, match="Images of different sizes"):
        mix({"image": provenance((32, 32)), "b": provenance((16, 8))})


def test_videos_of_other_sizes_and_lengths() -> None:
    video, small = np.zeros((2, 8, 3, 16, 24), np.float32), np.random.default_rng(0).random((2, 4, 3, 8, 12))
    plan = Plan(BatchSpec(2, (16, 24)), (Layer([0], [1], 1.0, Boxes([[4, 8]], [[12, 24]])),))
    got = CutMix(layout="BTCHW").replay(plan, {"video": [video, small]})["video"][1]
    wanted = small.copy()
    wanted[0, :, :, 2:6, 4:] = small[1, :, :, 2:6, 4:]
    np.testing.assert_array_equal(got, wanted)


def test_masks_at_a_stride_are_shown_on_the_whole_picture() -> None:
    pytest.importorskip("matplotlib")
    from mixtransforms import show
    from mixtransforms.show.batches.content import known_finder, read_content
    from mixtransforms.show.batches.overlays import mask_overlay

    batch = {"image": images("numpy"), "mask": IDS}
    coarse, _ = mask_overlay(read_content(batch, known_finder()))
    fine, _ = mask_overlay(read_content({**batch, "mask": grown(IDS)}, known_finder()))
    np.testing.assert_array_equal(coarse, fine)
    show.trace(CutMix(1.0, seed=0).trace(batch))


# Padded to the largest -------------------------------------------------------------------------------------------------


def pictures(backend: str, *sizes: tuple[int, int], channels: int = 3) -> list[Any]:
    whole = [np.ones((*size, channels), np.float32) for size in sizes]
    return [given(each if backend == "numpy" else np.moveaxis(each, -1, 0), backend) for each in whole]


@pytest.mark.parametrize("method", [MixUp(pad="max"), MixUp(1.0, p=0.0, pad="max")], ids=repr)
@pytest.mark.parametrize("form", ["lists", "samples"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["mask", "pixel_mask"])
def test_padded_masks_are_of_their_images_size(name: str, backend: str, form: str, method: Any) -> None:
    """Else a mask would lie beside what it shows, and nothing would say so."""
    sizes = [(8, 8), (6, 4), (5, 8)]
    for wrong in (
        [(8, 8), (5, 4), (5, 8)],
        [(8, 8), (6, 4), (8, 5)],
        [(6, 4), (8, 8), (5, 8)],
        [(8, 8), (3, 2), (5, 8)],
    ):
        masks = [given(np.ones(size, np.int64), backend) for size in wrong]
        batch: Any = {"image": pictures(backend, *sizes), name: masks}
        if form == "samples":
            batch = [{"image": image, name: mask} for image, mask in zip(batch["image"], masks, strict=True)]
        with pytest.raises(
            InputError, match=rf"A mask of another size than its image \(batch\['{name}'\]\[[012]\]\): got shape"
        ):
            method(batch)
    masks = [given(np.ones(size, np.int64), backend) for size in sizes]
    assert [int(host(mask).sum()) for mask in method({"image": pictures(backend, *sizes), name: masks})[name]]


def test_unequal_masks_beside_equal_images_are_refused() -> None:
    masks = [np.ones((8, 8), int), np.ones((5, 5), int)]
    for images_ in (np.ones((2, 8, 8, 3)), list(np.ones((2, 8, 8, 3)))):
        with pytest.raises(
            InputError, match=r"A mask of another size than its image \(batch\['mask'\]\[1\]\): got shape \(5, 5\)"
        ):
            MixUp(pad="max")({"image": images_, "mask": masks})


@pytest.mark.parametrize("backend", BACKENDS)
def test_padded_masks_at_a_stride(backend: str) -> None:
    sizes = [(16, 16), (12, 8)]
    masks = [
        given(np.full((height // 4, width // 4), number + 1), backend) for number, (height, width) in enumerate(sizes)
    ]
    got = MixUp(pad="max", p=0.0, masks="dominant")({"image": pictures(backend, *sizes), "mask": masks})["mask"]
    np.testing.assert_array_equal(host(got[0]), np.ones((4, 4)))
    np.testing.assert_array_equal(host(got[1]), [[2, 2, 0, 0]] * 3 + [[0] * 4])


@pytest.mark.parametrize("form", ["lists", "samples"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_colours_are_not_padded(backend: str, form: str) -> None:
    """A grey image would become a red one."""
    batch: Any = pictures(backend, (8, 8)) + pictures(backend, (8, 8), channels=1)
    batch = [{"image": image} for image in batch] if form == "samples" else {"image": batch}
    with pytest.raises(
        InputError,
        match=r"Images with different numbers of channels \(batch\['image'\]\[1\]\): got 1, shape .* v2\.RGB",
    ):
        MixUp(pad="max")(batch)


def test_classes_of_every_time_are_no_cells_of_the_frequencies() -> None:
    """Four classes divide 64 bands; read as a stride of them, the rows of two classes would be taken from a partner."""
    spectrograms = np.arange(4, dtype=np.float32)[:, None, None].repeat(64, 1).repeat(100, 2)
    strong = np.eye(4, dtype=np.float32)[:, :, None].repeat(100, 2)
    kinds = {"spec": "image", "strong": "mask"}
    batch = {"spec": spectrograms, "strong": strong}
    with pytest.raises(InputError, match=r"Classes, or cells of the mixed axis \(batch\['strong'\]\)"):
        CutMix(seed=1, layout="BFT", axes="F", kinds=kinds)(batch)
    cells = CutMix(seed=1, layout="BFT", axes="F", kinds=kinds | {"strong": SemanticMask(any_size=True)})(batch)
    assert cells["strong"].shape == strong.shape
    channels = batch | {"strong": strong[:, None].repeat(64, 1).swapaxes(2, 3)}  # (B, F, T, K)
    out = CutMix(seed=1, layout="BFT", axes="F", kinds=kinds)(channels)
    np.testing.assert_array_equal(out["strong"].argmax(-1), out["spec"])
