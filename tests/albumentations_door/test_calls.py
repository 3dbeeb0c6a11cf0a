"""How the Albumentations door is called, and what may stand in its pipelines.

Whatever a message advises is done here: it must lead on.
"""

from collections import UserDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

from mixtransforms import InputError, ParameterError
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp

SIZE = 4
IMAGES = np.random.default_rng(0).integers(0, 256, (SIZE, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(SIZE)
SAMPLES = [{"image": image, "label": int(label)} for image, label in zip(IMAGES, LABELS, strict=True)]

CALLED: dict[str, Any] = {
    "transform": lambda: CutMix(num_classes=SIZE, seed=0),
    "pipeline": lambda: BatchCompose([CutMix(num_classes=SIZE)], seed=0),
    "sample stage first": lambda: BatchCompose([A.HorizontalFlip(), CutMix(num_classes=SIZE)], seed=0),
}


# ------------------------------------------------------------------------------------------ a dict by position


@pytest.mark.parametrize("container", [dict, UserDict, lambda values: MappingProxyType(values)])
@pytest.mark.parametrize("called", CALLED)
def test_a_dict_by_position_is_the_batch(called: str, container: Any) -> None:
    """Ray and datasets call with one dict of columns; it is not changed."""
    batch = {"images": IMAGES, "labels": LABELS}
    expected, out = CALLED[called]()(**batch), CALLED[called]()(container(batch))
    assert type(out) is dict
    assert list(batch) == list(out) == list(expected)
    for name in batch:
        np.testing.assert_array_equal(out[name], expected[name])
    assert batch["labels"] is LABELS


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("args", [(IMAGES,), (IMAGES, LABELS), ({"images": IMAGES}, 1), ((IMAGES, LABELS),)])
def test_anything_else_by_position_is_refused_as_by_the_host(called: str, args: Any) -> None:
    with pytest.raises(KeyError, match="named arguments"):
        CALLED[called]()(*args)


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("empty", [[], ()])
def test_no_samples(called: str, empty: Any) -> None:
    with pytest.raises(InputError, match=r"No samples \(batch\): got an empty (list|tuple).*Pass one at least"):
        CALLED[called]()(empty)
    assert CALLED[called]()(SAMPLES[:1])["image"].shape == (1, 8, 8, 3)


# ------------------------------------------------------------------------------------------ one image


@pytest.mark.parametrize(
    "steps",
    [[A.HorizontalFlip(p=1)], [CutMix(num_classes=4)], [A.HorizontalFlip(), MixUp(num_classes=4)]],
    ids=["host", "mix", "both"],
)
@pytest.mark.parametrize(
    "image", [IMAGES[0], IMAGES[0, ..., 0], torch.zeros(3, 8, 8), Image.fromarray(IMAGES[0])], ids=type
)
def test_one_image_is_no_batch(steps: Any, image: Any) -> None:
    """Its rows would be taken for samples. The way out: a list of samples."""
    pipeline = BatchCompose(steps, seed=0)
    for call in (lambda: pipeline(image=image, label=3), lambda: pipeline({"image": image})):
        with pytest.raises(InputError, match=r"One image \(image=\).*list of samples"):
            call()
    if not isinstance(image, torch.Tensor):
        assert len(pipeline([{"image": image, "label": 3}])["image"]) == 1


def test_a_sample_without_an_image() -> None:
    for value in (None, "photo.jpg", [1, 2]):
        with pytest.raises(InputError, match=r"No image \(sample 1, batch\['image'\]\).*Open it"):
            BatchCompose([A.NoOp()])([SAMPLES[0], {"image": value, "label": 1}])


def test_samples_without_names_lead_on() -> None:
    pipeline = BatchCompose([A.HorizontalFlip(), CutMix(num_classes=SIZE)])
    pairs = [(sample["image"], sample["label"]) for sample in SAMPLES]
    with pytest.raises(InputError, match=r"A sample without names \(sample 0\): got tuple.*Return dicts"):
        pipeline(pairs)
    assert pipeline([{"image": image, "label": label} for image, label in pairs])["label"].shape == (SIZE, SIZE)


# ------------------------------------------------------------------------------------------ PIL images


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("form", ["samples", "column"])
def test_pil_images_are_arrays(called: str, form: str) -> None:
    """As datasets hand them over, in lists of samples or as a column."""
    if form == "samples":
        given = [one | {"image": Image.fromarray(one["image"])} for one in SAMPLES]
        expected = CALLED[called]()(SAMPLES)
    else:
        given = {"image": [Image.fromarray(image) for image in IMAGES], "label": LABELS.tolist()}
        expected = CALLED[called]()({"image": list(IMAGES), "label": LABELS.tolist()})
    out = CALLED[called]()(given)
    np.testing.assert_array_equal(np.asarray(out["image"]), np.asarray(expected["image"]))
    np.testing.assert_array_equal(out["label"], expected["label"])


def test_places_in_palettes_are_no_colours() -> None:
    """Pictures of mode P are refused, with the way out; masks of mode P are ids."""
    ids = np.random.default_rng(1).integers(0, 3, (8, 8), dtype=np.uint8)
    picture = Image.fromarray(ids, "L").convert("P")
    mask = Image.frombytes("P", (8, 8), ids.tobytes())
    with pytest.raises(InputError, match=r"Places in a palette \(batch\['image'\]\).*convert\('RGB'\)"):
        BatchCompose([CutMix()])([{"image": picture}] * 2)
    out = BatchCompose([CutMix()])([{"image": picture.convert("RGB"), "mask": mask}] * 2)
    assert out["image"].shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(out["mask"], [ids, ids])
    other = CutMix(kinds={"regions": "mask"})
    np.testing.assert_array_equal(
        BatchCompose([other])([{"image": IMAGES[0], "regions": mask}] * 2)["regions"], [ids] * 2
    )


# ------------------------------------------------------------------------------------------ members


def unchanged(image: Any, **_: Any) -> Any:
    return image


def foreign() -> dict[str, tuple[Any, str]]:
    from torchvision import transforms as v1
    from torchvision.transforms import v2

    class HorizontalFlip:
        """As other libraries name theirs."""

    return {
        "v2": (v2.RandomHorizontalFlip(), "albumentations.HorizontalFlip"),
        "v1": (v1.RandomCrop(4), "albumentations.RandomCrop"),
        "tensor": (v2.ToImage(), "albumentations.ToTensorV2"),
        "same name": (HorizontalFlip(), "albumentations.HorizontalFlip"),
        "function": (lambda image: image, r"A.Lambda\(image=function\)"),
        "list": ([A.HorizontalFlip()], "A.Compose"),
        "class": (A.HorizontalFlip, r"Make one, with its parameters: HorizontalFlip\(\.\.\.\)"),
    }


@pytest.mark.parametrize("kind", ["v2", "v1", "tensor", "same name", "function", "list", "class"])
def test_foreign_transforms_are_refused_when_built(kind: str) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    transform, advice = foreign()[kind]
    with pytest.raises(
        ParameterError, match=rf"No transform of Albumentations \(BatchCompose, transform 1\).*{advice}"
    ):
        BatchCompose([A.NoOp(), transform, CutMix()])
    own: list[Any] = [A.HorizontalFlip(), A.RandomCrop(4, 4), A.ToTensorV2(), A.Compose([A.HorizontalFlip()])]
    own.append(A.Lambda(image=unchanged))
    for replacement in own:
        assert len(BatchCompose([A.NoOp(), CutMix(num_classes=4), replacement])(SAMPLES)["image"]) == SIZE


@pytest.mark.parametrize("around", [lambda inner: inner, lambda inner: A.OneOf([inner, A.NoOp()])])
def test_pipelines_of_batches_do_not_nest(around: Any) -> None:
    """The inner one would take a sample for a batch. Its transforms go into the list, or into a Compose."""
    steps = [A.Crop(0, 0, 16, 16), A.PadIfNeeded(32, 32)]
    inner = BatchCompose(steps)
    with pytest.raises(
        ParameterError, match=r"A pipeline of batches inside another \(BatchCompose, transform 0\).*A.Compose"
    ):
        BatchCompose([around(inner)])
    sample = {"image": np.zeros((32, 32, 3), np.uint8), "keypoints": np.array([[10, 10], [30, 30.0]])}
    params = A.KeypointParams("xy", check_each_transform=True)
    expected = A.Compose([A.Compose(steps)], keypoint_params=params)(**sample)["keypoints"]
    for way_out in ([*inner.transforms], [A.Compose(steps)]):
        out = BatchCompose(way_out, keypoint_params=params)([sample] * 2)
        np.testing.assert_array_equal(out["keypoints"], [expected] * 2)


# ------------------------------------------------------------------------------------------ names of the host


def test_strict_samples_are_checked_as_by_the_host() -> None:
    """Boxes without bbox_params, and names that no transform knows; what the message advises works."""
    sample = {"image": IMAGES[0], "bboxes": np.array([[1, 1, 5, 5, 1.0]])}
    with pytest.raises(InputError, match=r"An unknown name \(sample 0, bboxes=\).*Give bbox_params="):
        BatchCompose([A.NoOp()], strict=True)([sample])
    out = BatchCompose([A.NoOp()], strict=True, bbox_params=A.BboxParams("pascal_voc"))([sample])
    np.testing.assert_array_equal(out["bboxes"], [sample["bboxes"]])
    with pytest.raises(InputError, match=r"An unknown name \(sample 0, path=\).*passthrough="):
        BatchCompose([A.NoOp()], strict=True)([{"image": IMAGES[0], "path": "a.jpg"}])
    mix = CutMix(passthrough=("path",))
    assert BatchCompose([mix], strict=True)([{"image": IMAGES[0], "path": "a.jpg"}])["path"] == ["a.jpg"]


TARGETS: dict[str, tuple[str, Any]] = {
    "images": ("more", IMAGES),
    "image": ("more", IMAGES),
    "mask": ("regions", IMAGES[..., 0] // 64),
    "masks": ("regions", IMAGES[..., 0] // 64),
}


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("strict", [False, True])
def test_a_stock_compose_tells_additional_targets(kind: str, strict: bool) -> None:
    """As it tells its own transforms: what is declared there needs no ``kinds``."""
    name, value = TARGETS[kind]
    told = {"additional_targets": {name: kind}, "strict": strict, "is_check_shapes": False, "seed": 0}
    batch = {"images": IMAGES, name: value, "labels": LABELS}
    pipeline = A.Compose([CutMix(num_classes=SIZE)], **told)
    pipeline.is_check_args = False  # it takes every target for one of one picture
    out = pipeline(**batch)
    own = A.Compose([CutMix(num_classes=SIZE, kinds={name: KINDS[kind]})], is_check_shapes=False, seed=0)
    np.testing.assert_array_equal(out[name], own(**batch)[name])
    assert not np.array_equal(out[name], value)


KINDS = {"image": "image", "images": "image", "mask": "mask", "masks": "mask"}


def test_volumes_and_their_masks_are_known() -> None:
    """``volumes``, ``mask3d`` and ``masks3d`` are names of Albumentations; a mask shows what its volume shows."""
    volumes = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 8), dtype=np.uint8)
    for method in (CutMix, MixUp):
        mix = method(1.0, num_classes=4, layout="BDHWC", masks="dominant")
        out = A.Compose([mix], seed=0)(volumes=volumes[..., None], masks3d=volumes, labels=np.arange(4))
        assert out["labels"].shape == (4, 4)
        if method is CutMix:
            np.testing.assert_array_equal(out["volumes"][..., 0], out["masks3d"])
    steps = [A.RandomCrop3D((6, 6, 6)), A.CubicSymmetry(), CutMix(1.0, layout="BDHWC")]
    given = [{"volume": one[..., None], "mask3d": one} for one in volumes]
    out = BatchCompose(steps, seed=0)(given)
    np.testing.assert_array_equal(out["volume"][..., 0], out["mask3d"])
    ready = BatchCompose(steps, seed=0)(volumes=volumes[..., None], masks3d=volumes)
    np.testing.assert_array_equal(ready["volumes"][..., 0], ready["masks3d"])
    assert ready["volumes"].shape[0] == 4


@pytest.mark.parametrize(
    "step", [A.HorizontalFlip(p=1), A.AdditiveNoise(p=1), A.NoOp()], ids=lambda step: type(step).__name__
)
def test_lists_of_frames_are_arrays_of_them(step: Any) -> None:
    """Whichever transform they meet."""
    lists = BatchCompose([step], seed=0)([{"images": list(IMAGES)}, {"images": list(IMAGES[::-1])}])["images"]
    arrays = BatchCompose([step], seed=0)([{"images": IMAGES}, {"images": IMAGES[::-1]}])["images"]
    assert lists.shape == (2, SIZE, 8, 8, 3)
    if not isinstance(step, A.AdditiveNoise):
        np.testing.assert_array_equal(lists, arrays)
    mixed = BatchCompose([step, CutMix(1.0, layout="BTHWC")], seed=0)([{"images": list(IMAGES)}] * 2)
    assert mixed["images"].shape == (2, SIZE, 8, 8, 3)


def test_frames_of_ready_batches_and_of_additional_targets() -> None:
    """``images`` of a batch that has frames are frames of every sample; lists of frames may have another name."""
    films = np.stack([IMAGES, IMAGES[::-1]])
    step = A.HorizontalFlip(p=1)
    np.testing.assert_array_equal(BatchCompose([step])(images=films)["images"], films[..., ::-1, :])
    mixed = BatchCompose([step, CutMix(1.0, layout="BTHWC", num_classes=2)], seed=0)(images=films, labels=[0, 1])
    assert mixed["images"].shape == films.shape
    pipeline = BatchCompose([step], additional_targets={"views": "images"})
    out = pipeline([{"image": film[0], "views": list(film)} for film in films])
    np.testing.assert_array_equal(out["views"], films[..., ::-1, :])


FIRST: dict[str, Any] = {
    "mix": list,
    "flip": lambda: [A.HorizontalFlip(p=1)],
    "noise": lambda: [A.AdditiveNoise(p=1)],
}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("listed", [False, True], ids=["array", "list"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)], ids=str)
@pytest.mark.parametrize("count", [2, 8])  # as many as rows: a mix would take the wrong axis
def test_masks_of_a_sample_without_boxes(count: int, channels: tuple[int, ...], listed: bool, first: str) -> None:
    """They are collated as they are; before a mix one message names two ways, which work."""
    masks, before = np.zeros((count, 8, 8, *channels), np.uint8), FIRST[first]
    depth = count * int(np.prod(channels))
    given = [{"image": image, "masks": list(masks) if listed else masks} for image in IMAGES]
    if before():
        assert BatchCompose(before())(given)["masks"].shape == (SIZE, count, 8, 8, *channels)
    message = r"Several masks of one sample \(sample 0, batch\['masks'\]\).*last axis, as mask=numpy.dstack"
    with pytest.raises(InputError, match=message):
        BatchCompose([*before(), CutMix()])(given)
    others = [{"image": one["image"], "parts": one["masks"]} for one in given]
    with pytest.raises(InputError, match=message.replace("masks'", "parts'")):
        BatchCompose([*before(), CutMix()], additional_targets={"parts": "masks"})(others)
    stacked = [{"image": image, "mask": np.dstack(list(masks))} for image in IMAGES]
    assert BatchCompose([*before(), CutMix()])(stacked)["mask"].shape == (SIZE, 8, 8, depth)
    like = [{"image": image, "parts": np.dstack(list(masks))} for image in IMAGES]
    out = BatchCompose([*before(), CutMix()], additional_targets={"parts": "mask"})(like)
    assert out["parts"].shape == (SIZE, 8, 8, depth)
    if not channels:
        assert len(BatchCompose([*before(), CutMix(kinds={"masks": "instances"})])(given)["masks"]) == SIZE


def test_label_fields_are_a_list_of_names_that_are_there() -> None:
    """The host looks for a field of every letter; a misspelt one would not follow its boxes."""
    sample = {"image": IMAGES[0], "bboxes": np.array([[1, 1, 5, 5.0]]), "cls": ["cat"]}
    with pytest.raises(ParameterError, match=r"'label_fields' \(bbox_params\): got 'cls'.*label_fields=\['cls'\]"):
        BatchCompose([CutMix()], bbox_params=A.BboxParams("coco", label_fields="cls"))
    for steps in ([CutMix()], [A.NoOp(), CutMix()]):
        with pytest.raises(InputError, match=r"Label fields are missing \(sample 0\): got bboxes without names"):
            BatchCompose(steps, bbox_params=A.BboxParams("coco", label_fields=["names"]))([sample] * 2)
        out = BatchCompose(steps, bbox_params=A.BboxParams("coco", label_fields=["cls"]))([sample] * 2)
        assert [len(row) for row in out["cls"]] == [len(row) for row in out["bboxes"]]


def test_what_the_host_takes_loosely() -> None:
    """No parameters as an empty dict."""
    assert BatchCompose([A.NoOp(), CutMix()], bbox_params={}, keypoint_params={})([{"image": IMAGES[0]}])


ONE: dict[str, Any] = {
    "transform": lambda: A.HorizontalFlip(p=1),
    "mix": lambda: CutMix(num_classes=SIZE),
    "OneOf": lambda: A.OneOf([A.HorizontalFlip(p=1), A.VerticalFlip(p=1)], p=1),
    "SomeOf": lambda: A.SomeOf([A.HorizontalFlip(p=1), A.VerticalFlip(p=1)], n=1, p=1),
    "Sequential": lambda: A.Sequential([A.HorizontalFlip(p=1)], p=0),
    "Compose": lambda: A.Compose([A.HorizontalFlip(p=1)], p=0),
    "ReplayCompose": lambda: A.ReplayCompose([A.HorizontalFlip(p=1)], p=0),
}


@pytest.mark.parametrize("name", ONE)
def test_one_in_the_place_of_the_list_is_one_stage(name: str) -> None:
    """The host's containers have an index, so that `list` would take what is in them out, and lose their chance."""
    (member,) = BatchCompose(ONE[name](), seed=3).transforms
    assert type(member) is type(ONE[name]())
    alone, listed = (BatchCompose(given, seed=3)(SAMPLES * 4)["image"] for given in (ONE[name](), [ONE[name]()]))
    np.testing.assert_array_equal(alone, listed)
    if getattr(member, "p", 1) == 0:
        np.testing.assert_array_equal(alone, np.concatenate([IMAGES] * 4))
    if name == "OneOf":
        both = IMAGES[:, ::-1, ::-1]
        assert not any(np.array_equal(image, other) for image, other in zip(alone, [*both] * 4, strict=True))


@pytest.mark.parametrize(
    "given", [None, 3, lambda image: image, A.HorizontalFlip], ids=["None", "number", "function", "class"]
)
def test_what_is_neither_a_list_nor_a_transform(given: Any) -> None:
    with pytest.raises(ParameterError, match=r"No transform of Albumentations \(BatchCompose, transform 0\)"):
        BatchCompose(given)


# ------------------------------------------------------------------------------------------ words of the host


def test_a_transform_that_names_targets_which_it_has_not() -> None:
    """``A.ToTensor3D`` says that it takes images and masks, and takes volumes."""
    volumes = np.random.default_rng(1).integers(0, 256, (2, 4, 8, 8, 3), dtype=np.uint8)
    samples = [{"image": image, "volume": volume} for image, volume in zip(IMAGES[:2], volumes, strict=True)]
    for pipeline in (
        BatchCompose([A.ToTensor3D()]),
        BatchCompose([A.ToTensor3D()], additional_targets={"left": "mask", "right": "image"}, strict=True),
        BatchCompose([A.Sequential([A.ToTensor3D()], p=1), CutMix(p=0, layout="BCDHW", passthrough=("image",))]),
    ):
        out = pipeline(samples)["volume"]
        np.testing.assert_array_equal(out, volumes.transpose(0, 4, 1, 2, 3))


def test_strict_asks_for_arrays_as_the_host_does() -> None:
    """``A.Compose(strict=True)`` raises TypeError for a mask that is None; labels of no image would be mixed with it."""
    options: dict[str, Any] = {"additional_targets": {"left": "image", "low": "mask"}}
    for name, value, kind in (("mask", None, "mask"), ("left", None, "image"), ("low", "low.png", "mask")):
        sample = {"image": IMAGES[0], name: value}
        with pytest.raises(TypeError, match=f"{name} must be numpy array type"):
            A.Compose([A.NoOp()], strict=True, **options)(**sample)
        message = rf"No {kind} \(sample 1, batch\['{name}'\]\): got .*strict=True.*Leave the name out .*strict=False"
        with pytest.raises(InputError, match=message):
            BatchCompose([A.NoOp()], strict=True, **options)([{**sample, name: IMAGES[0]}, sample])
    assert BatchCompose([A.NoOp()], **options)([{"image": IMAGES[0], "mask": None}])["mask"] == [None]
    assert BatchCompose([A.NoOp()], strict=True)(images=list(IMAGES))["images"]


@pytest.mark.parametrize("container", ["list", "inside"])
@pytest.mark.parametrize("transform", [A.RGBShift, lambda: A.PadIfNeeded(40, 40, p=1), A.SafeRotate])
@pytest.mark.filterwarnings("error:Argument:UserWarning")
def test_files_hold_what_constructors_take(transform: Any, container: str) -> None:
    """The host writes arguments of the classes that a transform derives from; a strict pipeline refuses them."""
    made = [transform()] if container == "list" else [A.Sequential([A.OneOf([transform()], p=1)], p=1)]
    pipeline = BatchCompose(made, strict=True, seed=3)
    again = A.from_dict(A.to_dict(pipeline))
    assert again.strict
    assert repr(again) == repr(pipeline)
    assert A.to_dict(again) == A.to_dict(pipeline)
    samples = [{"image": np.resize(IMAGES[0], (32, 32, 3))}] * 3
    np.testing.assert_array_equal(again(samples)["image"], pipeline(samples)["image"])


@pytest.mark.parametrize("form", ["samples", "tensors", "batch"])
@pytest.mark.parametrize("format", ["xy", "yx"])
def test_points_outside_of_the_image(format: str, form: str) -> None:
    """Where the host is to remove them it refuses them before its first transform; a mix alone would keep them."""
    image = np.zeros((8, 6, 3), np.uint8)

    def batch(x: float, y: float) -> Any:
        points = np.array([[1.0, 1.0], [x, y] if format == "xy" else [y, x]])
        if form == "batch":
            return {"images": np.stack([image] * 2), "keypoints": [points[:1], points]}
        shown = torch.zeros(3, 8, 6) if form == "tensors" else image
        return [{"image": shown, "keypoints": rows.tolist()} for rows in (points[:1], points)]

    def pipeline(**options: Any) -> Any:
        return BatchCompose([CutMix(p=0)], keypoint_params=A.KeypointParams(format, **options))

    for x, y in ((6, 1), (1, 8), (-1, 1)):
        message = (
            rf"A point outside of the image \(sample 1, batch\['keypoints'\]\): got x={x}, y={y} in an image of 6 x 8"
        )
        with pytest.raises(InputError, match=message + ".*remove_invisible=False"):
            pipeline()(batch(x, y))
        assert [len(row) for row in pipeline(remove_invisible=False)(batch(x, y))["keypoints"]] == [1, 2]
    assert [len(row) for row in pipeline()(batch(5, 7))["keypoints"]] == [1, 2]


TOLD_LATER: dict[str, tuple[str, Any, Any]] = {
    "image": ("image", IMAGES[0], {}),
    "mask": ("mask", IMAGES[0, ..., 0], {}),
    "bboxes": ("bboxes", np.array([[1, 2, 4, 6.0]]), {"bbox_params": A.BboxParams("pascal_voc")}),
    "keypoints": ("keypoints", np.array([[1, 2.0]]), {"keypoint_params": A.KeypointParams("xy")}),
    "list of keypoints": ("keypoints", [(1, 2)], {"keypoint_params": A.KeypointParams("xy")}),
}


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("case", TOLD_LATER)
def test_targets_that_are_added_later(case: str, mixed: bool) -> None:
    """The host's ``add_targets`` tells a finished pipeline; boxes would be flipped as if they were fractions."""
    like, value, options = TOLD_LATER[case]
    sample = {"image": IMAGES[0], like: value, "more": value} if like != "image" else {"image": value, "more": value}
    steps = [A.HorizontalFlip(p=1)]
    host = A.Compose(steps, **options)
    pipeline = BatchCompose([*steps, CutMix(p=0)] if mixed else steps, **options)
    for one in (host, pipeline):
        one.add_targets({"more": like})
    ours = pipeline([sample] * 2)
    for name, expected in host(**sample).items():
        np.testing.assert_allclose(np.asarray(ours[name][1]), np.asarray(expected), atol=1e-4)
    assert A.from_dict(A.to_dict(pipeline)).additional_targets == {"more": like}


def test_points_as_the_host_has_them_inside() -> None:
    """``"albumentations"``: x, y, depth, angle and scale."""
    points, params = np.array([[1, 2, 0, 0.5, 2.0], [5, 6, 1, 0, 1]]), A.KeypointParams("albumentations")
    expected = A.Compose([A.HorizontalFlip(p=1)], keypoint_params=params)(image=IMAGES[0], keypoints=points)[
        "keypoints"
    ]
    for steps in ([A.HorizontalFlip(p=1)], [CutMix(p=0), A.HorizontalFlip(p=1)]):
        out = BatchCompose(steps, keypoint_params=params)([{"image": IMAGES[0], "keypoints": points}] * 2)
        np.testing.assert_allclose(out["keypoints"][1], expected, rtol=1e-6)


def test_formats_are_named_as_the_host_does() -> None:
    format = "foo"
    with pytest.raises(ParameterError, match=r"'format' \(keypoint_params\): got '\w+'; wanted one of 'xy', 'yx'"):
        BatchCompose([A.HorizontalFlip()], keypoint_params=A.KeypointParams(format))
    with pytest.raises(
        ParameterError, match=r"'format' \(bbox_params\): got 'foo'; wanted one of 'coco', 'pascal_voc'"
    ):
        BatchCompose([A.HorizontalFlip()], bbox_params=A.BboxParams("foo"))
    points = [{"image": IMAGES[0], "keypoints": np.array([[1, 2.0]])}] * 2
    for known in ("xy", "yx"):
        assert BatchCompose([CutMix(p=0)], keypoint_params=A.KeypointParams(known))(points)["keypoints"]
