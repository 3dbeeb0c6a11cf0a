"""BatchCompose at the Albumentations door: per-sample stages, mixing, files."""

import copy
import json
import pickle

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

from albumentations.pytorch import ToTensorV2

import mixtransforms
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

SIZE = 8


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (SIZE, 20, 24, 3), dtype=np.uint8)


@pytest.fixture
def samples(images):
    return [{"image": image, "label": index, "name": f"photo {index}"} for index, image in enumerate(images)]


def choice(**options):
    return OneOf([MixUp(), CutMix()], num_classes=SIZE, **options)


def test_list_of_samples(samples):
    out = BatchCompose([A.HorizontalFlip(), A.RandomCrop(16, 12), choice()])(samples)
    assert out["image"].shape == (SIZE, 16, 12, 3)
    assert out["label"].shape == (SIZE, SIZE)
    assert out["name"] == [f"photo {index}" for index in range(SIZE)]


def test_keyword_batch(images):
    out = BatchCompose([A.HorizontalFlip(), A.RandomCrop(16, 12), choice()])(images=images, labels=np.arange(SIZE))
    assert out["images"].shape == (SIZE, 16, 12, 3)
    assert out["images"].dtype == np.uint8
    assert out["labels"].shape == (SIZE, SIZE)


def test_samples_get_parameters_of_their_own(images):
    same = np.repeat(images[:1], 64, axis=0)
    out = BatchCompose([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)], seed=1)(images=same)["images"]
    views = {image.tobytes() for image in out}
    assert len(views) == 4, "four combinations of two independent flips"


def test_stages_after_a_mix(samples):
    out = BatchCompose([A.HorizontalFlip(), choice(), A.GaussianBlur(p=1), A.Normalize(), ToTensorV2()])(samples)
    assert out["image"].shape == (SIZE, 3, 20, 24)
    assert out["image"].dtype == torch.float32
    assert out["label"].dtype == torch.float32, "labels follow the images' backend"
    torch.testing.assert_close(out["label"].sum(1), torch.ones(SIZE))


def test_without_a_mix_it_collates(samples):
    out = BatchCompose([A.HorizontalFlip()])(samples)
    assert out["image"].shape == (SIZE, 20, 24, 3)
    np.testing.assert_array_equal(out["label"], np.arange(SIZE))


def test_seeded_results_repeat(images, samples):
    def pipeline():
        return BatchCompose([A.HorizontalFlip(), A.RandomCrop(16, 12), A.ColorJitter(), choice()], seed=5)

    first, second = pipeline(), pipeline()
    for _ in range(2):
        a, b = (p(images=images, labels=np.arange(SIZE)) for p in (first, second))
        np.testing.assert_array_equal(a["images"], b["images"])
        np.testing.assert_array_equal(a["labels"], b["labels"])
    c, d = first(samples), first(samples)
    np.testing.assert_array_equal(c["image"], d["image"], err_msg="a list of samples is keyed by its content")
    e = first(images=images, labels=np.arange(SIZE))
    assert not np.array_equal(a["images"], e["images"]), "ready batches are keyed by the number of calls"


def test_files_of_the_host(images, tmp_path):
    pipeline = BatchCompose([A.HorizontalFlip(), A.RandomCrop(16, 12), choice(weights=[0.3, 0.6])], seed=5, strict=True)
    written = json.loads(json.dumps(A.to_dict(pipeline)))
    again = A.from_dict(written)
    assert A.to_dict(again) == written
    assert (type(again), again.seed, again.strict) == (BatchCompose, 5, True)
    A.save(pipeline, tmp_path / "pipeline.json")
    batch = {"images": images, "labels": np.arange(SIZE)}
    a, b = pipeline(**batch), A.load(tmp_path / "pipeline.json")(**batch)
    np.testing.assert_array_equal(a["images"], b["images"])


@pytest.mark.parametrize(
    "make_copy", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["deepcopy", "pickle"]
)
def test_copies(samples, make_copy):
    pipeline = BatchCompose([A.HorizontalFlip(), choice()], seed=5)
    np.testing.assert_array_equal(pipeline(samples)["image"], make_copy(pipeline)(samples)["image"])


@pytest.mark.parametrize("workers", [0, 2])
def test_as_collate_fn(samples, workers):
    pipeline = BatchCompose([A.HorizontalFlip(), choice(), A.Normalize(), ToTensorV2()], seed=5)
    loader = torch.utils.data.DataLoader(samples, batch_size=4, collate_fn=pipeline, num_workers=workers)
    batches = list(loader)
    assert [tuple(batch["image"].shape) for batch in batches] == [(4, 3, 20, 24)] * 2
    direct = [pipeline(samples[:4]), pipeline(samples[4:])]
    for batch, expected in zip(batches, direct, strict=True):
        torch.testing.assert_close(batch["image"], expected["image"], rtol=0, atol=0)


def test_workers_do_not_repeat_each_other(samples):
    """Albumentations 2.0.8 hands every worker an equal copy of its generator."""
    same = [{"image": samples[0]["image"]}] * 64
    pipeline = BatchCompose([A.HorizontalFlip(p=0.5)])
    loader = torch.utils.data.DataLoader(same, batch_size=16, collate_fn=pipeline, num_workers=2)
    batches = [batch["image"].tobytes() for batch in loader]
    assert len(set(batches)) == len(batches)


def test_neutral_transforms_are_adopted(images):
    pipeline = BatchCompose([mixtransforms.CutMix(num_classes=SIZE)])
    assert type(pipeline.transforms[0]) is CutMix
    assert pipeline(images=images, labels=np.arange(SIZE))["labels"].shape == (SIZE, SIZE)


def test_trace(samples):
    trace = BatchCompose([A.HorizontalFlip(), choice(), A.Normalize()], seed=5).trace(samples)
    (plan,) = trace.plans
    assert trace.before["image"].shape == trace.after["image"].shape == (SIZE, 20, 24, 3)
    assert trace.before["label"].shape == (SIZE,)
    np.testing.assert_allclose(trace.after["label"][np.arange(SIZE), np.arange(SIZE)], plan.weight, atol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: BatchCompose([A.OneOf([CutMix()], p=0.5)]),
            r"A container around a mix \(BatchCompose, transform 0\): got OneOf.*Use p=",
        ),
        (lambda: BatchCompose([A.Compose([A.HorizontalFlip(), CutMix()])]), "A container around a mix"),
        (lambda: BatchCompose([CutMix(seed=1)], seed=2), "Two seeds .*seed=1 inside, seed=2 outside.*pipeline alone"),
        (lambda: BatchCompose([CutMix()], p=0.5), "'p' cannot be honoured .*got 0.5; wanted 1.0.*p= of the mixing"),
        (lambda: BatchCompose([CutMix()], save_applied_params=True), "'save_applied_params' cannot be honoured.*trace"),
    ],
)
def test_what_cannot_be_right_is_refused(build, message):
    with pytest.raises(mixtransforms.ParameterError, match=message):
        build()


def test_two_pastes_are_refused(samples):
    pipeline = BatchCompose([CutMix(num_classes=9), A.NoOp(), CutMix()])
    with pytest.raises(mixtransforms.InputError, match=r"Two mixes that paste \(batch\['label'\]\): got label of"):
        pipeline(samples)


def test_samples_must_have_names(images):
    with pytest.raises(mixtransforms.InputError, match=r"A sample without names \(sample 0\): got tuple.*dict"):
        BatchCompose([CutMix()])([(image, 1) for image in images])


def test_sizes_must_agree_at_the_mix(samples):
    odd = [*samples[:3], {"image": samples[3]["image"][:10], "label": 3, "name": "cut"}]
    with pytest.raises(
        mixtransforms.InputError, match=r"different sizes \(batch\['image'\]\).*\(10, 24, 3\) in sample 3"
    ):
        BatchCompose([A.HorizontalFlip(), choice()])(odd)
    assert BatchCompose([A.RandomCrop(8, 8), choice()])(odd)["image"].shape == (4, 8, 8, 3)
