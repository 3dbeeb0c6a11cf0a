"""Hints with the call of a pipeline: they reach the mixes that read them, and none that gets other samples."""

import albumentations as A
import numpy as np
import pytest

from mixtransforms import InputError, ParameterError, SimilarShape

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision.transforms import v2

from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIZE, SHAPE = 4, (9, 14)


def deltas(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Saliency of one place a sample, and where that is."""
    places = np.random.default_rng(seed).integers(0, SHAPE, (SIZE, 2))
    maps = np.zeros((SIZE, *SHAPE))
    maps[np.arange(SIZE), places[:, 0], places[:, 1]] = 1.0
    return maps, places


def check_boxes(trace, places):
    (plan,) = trace.plans
    (layer,) = plan.layers
    for source, start, stop in zip(layer.source, layer.region.start, layer.region.stop, strict=True):
        inside = (start <= places[source]) & (places[source] < stop)
        assert inside.all() or (start == stop).any()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("listed", [False, True])
def test_saliency_reaches_the_mix_at_both_doors(seed, listed):
    maps, places = deltas(seed)
    images = np.random.default_rng(seed).integers(0, 256, (SIZE, *SHAPE, 3), np.uint8)
    host = al.BatchCompose([A.RandomBrightnessContrast(p=1.0), al.SaliencyMix()], seed=seed)
    given = ([{"image": image} for image in images],) if listed else ({"images": images},)
    check_boxes(host.trace(*given, hints={"saliency": maps}), places)
    tensors = torch.from_numpy(images).movedim(-1, 1)
    stages = [v2.ColorJitter(0.5), v2.RandomApply([v2.GaussianBlur(3)]), tv.SaliencyMix(), v2.RandomHorizontalFlip()]
    pipeline = tv.BatchCompose(stages, seed=seed)
    given = [{"image": image} for image in tensors] if listed else tensors
    check_boxes(pipeline.trace(given, hints={"saliency": torch.from_numpy(maps)}), places)


def test_the_key_of_samples_has_the_hint_in_it():
    samples = [{"image": torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(0))} for _ in range(SIZE)]
    pipeline = tv.BatchCompose([tv.SaliencyMix()], seed=0)
    keys = [pipeline.trace(samples, hints={"saliency": deltas(seed)[0]}).plans[0].key for seed in (0, 0, 1)]
    assert keys[0] == keys[1] != keys[2]


def test_a_pipeline_says_what_its_mix_alone_says():
    maps, _ = deltas()
    images = torch.rand(SIZE, 3, *SHAPE)
    plans = tv.BatchCompose([tv.SaliencyMix(seed=3)]).trace(images, hints={"saliency": maps}).plans
    assert plans[0] == tv.SaliencyMix(seed=3).plan(images, hints={"saliency": maps})
    assert plans[0] != tv.SaliencyMix(seed=3).plan(images)


def unread(name, pipeline, match, **more):
    batch = {"images": np.zeros((SIZE, *SHAPE, 3), np.float32)}
    if isinstance(pipeline, tv.BatchCompose):
        batch = {"image": torch.zeros(SIZE, 3, *SHAPE)}
    for call in (pipeline, pipeline.trace):
        with pytest.raises(InputError, match=match):
            call(batch, hints={name: np.ones((SIZE, *SHAPE), np.int64)})
    pipeline(batch, **more)  # as the error says


def test_a_hint_that_nobody_reads():
    for door in (tv, al):
        unread("saliency", door.BatchCompose([door.MixUp()]), "no mix of it asks for one. Leave 'saliency' out")
        unread("bananas", door.BatchCompose([door.SaliencyMix()]), "ask for: 'saliency'. Leave 'bananas' out")
        unread("saliency", door.BatchCompose([]), "no mix of it asks")
    unread("images", tv.BatchCompose([tv.SaliencyMix()]), "Leave 'images' out")


def as_it_is(image, **_):
    """What a function does is not known."""
    return image


MOVING = [v2.RandomHorizontalFlip(), v2.RandomApply([v2.RandomRotation(9)]), v2.Resize(SHAPE), lambda sample: sample]


@pytest.mark.parametrize("transform", MOVING)
def test_saliency_behind_what_moves_pixels(transform):
    mixed = tv.BatchCompose([transform, tv.SaliencyMix()])
    unread("saliency", mixed, "before SaliencyMix; wanted transforms before it that keep every pixel")
    function = tv.SaliencyMix(hints={"saliency": lambda images: images.mean(axis=-1)})  # as the error says
    tv.BatchCompose([transform, function])({"image": torch.zeros(SIZE, 3, *SHAPE)})


@pytest.mark.parametrize("transform", [A.HorizontalFlip(), A.OneOf([A.Rotate(), A.ToGray()]), A.Lambda(image=as_it_is)])
def test_saliency_behind_what_moves_pixels_in_albumentations(transform):
    unread("saliency", al.BatchCompose([transform, al.SaliencyMix()]), "wanted transforms before it that keep")


def test_a_hint_behind_another_mix():
    unread("saliency", tv.BatchCompose([tv.MixUp(), tv.SaliencyMix()]), "wanted SaliencyMix before any other mix")
    two = tv.BatchCompose([tv.SaliencyMix(), tv.SaliencyMix()])
    unread("saliency", two, "SaliencyMix before SaliencyMix")


def test_classes_stay_those_of_their_samples():
    pipeline = tv.BatchCompose([v2.RandomHorizontalFlip(), tv.CutMix(pairing="same_class")], seed=0)
    trace = pipeline.trace(torch.rand(4, 3, *SHAPE), hints={"classes": np.array([0, 1, 0, 1])})
    assert trace.plans[0].partner.tolist() == [2, 3, 0, 1]
    behind = tv.BatchCompose([tv.MixUp(), tv.CutMix(pairing="same_class")])
    with pytest.raises(InputError, match="pass it with the batch; or put CutMix before MixUp"):
        behind(torch.rand(4, 3, *SHAPE), hints={"classes": np.array([0, 1, 0, 1])})


def test_hints_need_names():
    images = np.zeros((SIZE, *SHAPE, 3), np.uint8)
    for given in (["saliency"], np.zeros((SIZE, *SHAPE)), "saliency"):
        for mix in (al.BatchCompose([al.SaliencyMix()]), al.SaliencyMix(), tv.SaliencyMix()):
            with pytest.raises(InputError, match=r"Hints without names .* wanted a dict of them by name"):
                mix(images=images, hints=given)
    assert al.BatchCompose([al.SaliencyMix()])(images=images, hints=None)["images"].shape == images.shape
    assert al.SaliencyMix()(images=images, hints=None)["images"].shape == images.shape


def test_sizes_behind_what_changes_them():
    behind = [v2.Resize(SHAPE), tv.CutMix(pairing=SimilarShape())]
    unread("sizes", tv.BatchCompose(behind), "Put CutMix before Resize; or leave it out, and give samples of unequal")
    pictures = [(torch.rand(3, height, 9), 0) for height in (5, 9, 7, 9)]
    tv.BatchCompose([tv.CutMix(pad="max", pairing=SimilarShape(), num_classes=2), v2.Resize(SHAPE)])(
        pictures
    )  # as it says


@pytest.mark.parametrize("door", [tv, al], ids=["torchvision", "albumentations"])
def test_values_that_stay_behind_are_refused(door):
    moving, keeping = (
        (v2.Resize(SHAPE), v2.Normalize([0.0], [1.0])) if door is tv else (A.Resize(*SHAPE), A.Normalize())
    )
    sized = {"pairing": SimilarShape(), "hints": {"sizes": "value:sizes"}, "passthrough": ("sizes",)}
    with pytest.raises(
        ParameterError, match=r"got hints=\{'sizes': 'value:sizes'\}, and Resize before it.*before Resize"
    ):
        door.BatchCompose([keeping, moving, door.CutMix(**sized)])
    heat = {"hints": {"saliency": "value:heat"}}
    with pytest.raises(ParameterError, match=r"kinds=\{'heat': 'mask'\}, and not as passthrough"):
        door.BatchCompose([moving, door.SaliencyMix(**heat, passthrough=("heat",))])
    door.BatchCompose([moving, door.SaliencyMix(**heat, kinds={"heat": "mask"})])  # as it says
    door.BatchCompose([keeping, door.CutMix(**sized), moving])
