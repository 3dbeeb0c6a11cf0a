"""The Albumentations door inside the host's own containers, files and recorders."""

import copy
import json
import pickle
import random
import warnings

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")

from albumentations.pytorch import ToTensorV2

import mixtransforms
from mixtransforms.albumentations import CutMix, MixUp, OneOf

SIZE = 6


@pytest.fixture
def images():
    """One channel a sample: the mean of channel i is the share of sample i."""
    array = np.zeros((SIZE, 20, 24, SIZE), np.uint8)
    array[range(SIZE), :, :, range(SIZE)] = 255
    return array


@pytest.fixture
def labels():
    return np.arange(SIZE)


def shares(images):
    axes = (2, 3) if hasattr(images, "numpy") else (1, 2)
    return np.asarray(images, np.float64).mean(axis=axes)


def test_is_a_host_transform(images, labels):
    transform = CutMix(num_classes=SIZE)
    assert isinstance(transform, A.BasicTransform)
    out = transform(images=images, labels=labels)
    np.testing.assert_allclose(shares(out["images"]) / 255, out["labels"], atol=1e-6)


@pytest.mark.parametrize("strict", [False, True])
def test_stock_compose(images, labels, strict):
    pipeline = A.Compose([A.HorizontalFlip(), MixUp(num_classes=SIZE, alpha=1.0)], seed=7, strict=strict)
    out = pipeline(images=images, labels=labels)
    np.testing.assert_allclose(shares(out["images"]) / 255, out["labels"], atol=0.5 / 255)
    assert not np.array_equal(out["images"], images)


def test_stock_compose_lets_declared_names_through_in_strict_mode(images, labels):
    mix = CutMix(kinds={"pixels2": "image", "answer": "label"}, passthrough="meta", num_classes=SIZE)
    out = A.Compose([mix], strict=True)(images=images, pixels2=images, answer=labels, meta=np.arange(3))
    np.testing.assert_array_equal(out["images"], out["pixels2"])
    assert out["answer"].shape == (SIZE, SIZE)
    np.testing.assert_array_equal(out["meta"], np.arange(3))


def test_the_compose_seed_governs(images, labels):
    def run(seed):
        return A.Compose([CutMix(num_classes=SIZE)], seed=seed)(images=images, labels=labels)["labels"]

    np.testing.assert_array_equal(run(3), run(3))
    assert not np.array_equal(run(3), run(4))


def test_our_seed_survives_the_compose(images, labels):
    mix = CutMix(num_classes=SIZE, seed=11)
    alone = CutMix(num_classes=SIZE, seed=11)(images=images, labels=labels)
    composed = A.Compose([mix], seed=5)(images=images, labels=labels)
    assert mix.seed == 11
    np.testing.assert_array_equal(alone["images"], composed["images"])


def test_global_generators_are_left_alone(images, labels):
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    CutMix(num_classes=SIZE)(images=images, labels=labels)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_one_of_opens_the_gate(images, labels):
    closed = CutMix(num_classes=SIZE, p=1e-12, alpha=1.0)
    chosen = A.OneOf([closed], p=1.0)(images=images, labels=labels)
    assert (chosen["labels"].max(axis=1) < 1).any(), "A.OneOf has decided already; p must not gate again"
    alone = closed(images=images, labels=labels)
    np.testing.assert_array_equal(alone["images"], images)


def test_replay_compose_records_and_replays(images, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline = A.ReplayCompose([A.HorizontalFlip(p=0.5), CutMix(num_classes=SIZE)])
    first = pipeline(images=images, labels=labels)
    record = json.loads(json.dumps(first["replay"]))
    again = A.ReplayCompose.replay(record, images=images, labels=labels)
    np.testing.assert_array_equal(first["images"], again["images"])
    np.testing.assert_array_equal(first["labels"], again["labels"])


def test_applied_transforms_see_the_plan(images, labels):
    mix = CutMix(num_classes=SIZE)
    out = A.Compose([A.HorizontalFlip(p=1), mix], save_applied_params=True)(images=images, labels=labels)
    (_, _flip), (name, params) = out["applied_transforms"]
    assert name == "CutMix"
    plan = mixtransforms.Plan.from_dict(params["plan"])
    np.testing.assert_allclose(plan.weight, out["labels"][np.arange(SIZE), np.arange(SIZE)], atol=1e-6)
    A.Compose([mix])(images=images, labels=labels)
    assert mix.params == {}, "a transform is no notebook of its last call"


def test_tensors_after_to_tensor(images, labels):
    out = A.Compose([ToTensorV2(), CutMix(num_classes=SIZE)])(images=images, labels=labels)
    assert tuple(out["images"].shape) == (SIZE, SIZE, 20, 24)
    np.testing.assert_allclose(shares(out["images"]) / 255, out["labels"].numpy(), atol=1e-6)


def test_lists_of_images_stay_lists(images, labels):
    out = CutMix(num_classes=SIZE)(images=list(images), labels=labels.tolist())
    assert isinstance(out["images"], list)
    np.testing.assert_allclose(shares(np.stack(out["images"])) / 255, out["labels"], atol=1e-6)


@pytest.mark.parametrize(
    "transform",
    [
        MixUp(alpha=0.3, fold=True, labels="pair"),
        CutMix(placement="minmax", minmax=(0.2, 0.6), seed=4, passthrough=("a", "b"), kinds={"z": "image"}),
        OneOf([MixUp(0.4), CutMix()], weights=[0.25, 0.5], num_classes=SIZE),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_host_serialization_round_trip(transform, tmp_path):
    written = json.loads(json.dumps(A.to_dict(A.Compose([transform]))))
    assert A.to_dict(A.from_dict(written)) == written
    A.save(A.Compose([transform]), tmp_path / "pipeline.json")
    assert repr(A.load(tmp_path / "pipeline.json").transforms[0]) == repr(transform)


@pytest.mark.parametrize(
    "make_copy", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["deepcopy", "pickle"]
)
def test_copies_draw_the_same(images, labels, make_copy):
    """A deep copy goes on counting where the original is; unpickled ones know a batch by its content, all alike."""
    transform = CutMix(num_classes=SIZE, seed=2)
    transform(images=images, labels=labels)
    counts = make_copy is copy.deepcopy
    twin, other = make_copy(transform), transform if counts else make_copy(transform)
    for _ in range(2 if counts else 1):
        first, second = (t(images=images, labels=labels)["images"] for t in (other, twin))
        np.testing.assert_array_equal(first, second)


def test_positional_data_is_refused_as_the_host_does(images):
    with pytest.raises(KeyError, match="named arguments"):
        CutMix(num_classes=SIZE)(images)


def test_one_image_is_refused(images):
    with pytest.raises(mixtransforms.InputError, match=r"One image \(image=\): got shape \(20, 24, 6\).*BatchCompose"):
        CutMix()(image=images[0])


def test_parameters_cannot_be_assigned():
    transform = MixUp()
    with pytest.raises(AttributeError, match="cannot assign to field 'alpha'"):
        transform.alpha = 3.0
    transform.note = "the host may set attributes of its own"
