"""Partners of a second batch: what comes back is what a join by hand gives, of every target, form and method."""

from typing import Any

import numpy as np
import pytest
from doors import examples
from numpy.typing import NDArray
from two_batches import SHAPE, batch, joined

import mixtransforms
from mixtransforms import CutMix, InputError, MixUp, Mosaic, Plan, Similar, SimilarShape, Within
from mixtransforms.containers.tree import walk
from mixtransforms.methods.pairing import PAIRINGS, Pairing, partners
from mixtransforms.methods.registry import METHODS
from mixtransforms.plan import BatchSpec

SIZES = [(1, 1), (2, 5), (5, 2), (4, 4), (0, 3)]


def assert_first_rows(got: Any, whole: Any, size: int) -> None:
    """Everything in a batch is the first rows of the same in another."""
    places = list(walk(got, lambda *_: False))
    assert [path for path, _ in places if "names" not in path]
    for path, value in places:
        other = whole
        for step in path:
            other = getattr(other, step) if isinstance(step, str) and hasattr(other, step) else other[step]
        part = other if "objects" in path else other[:size]  # which are listed sample by sample
        assert type(value) is type(part), path
        np.testing.assert_array_equal(value, part, err_msg=str(path))
    assert [len(each) for each in got["objects"].values()] == [size] * len(got["objects"])


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("shape", [SHAPE, (160, 170)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_mixes_as_a_join_by_hand(method: str, shape: tuple[int, int], sizes: tuple[int, int]) -> None:
    first, second = batch(sizes[0], 0, shape), batch(sizes[1], 100, shape)
    for number, configuration in enumerate(examples(method)):
        options = {**configuration, "seed": number, "num_classes": 10, "labels": "mix", "masks": "mix"}
        if configuration.get("pairing") == "roll" and sizes[0] != sizes[1]:
            with pytest.raises(InputError, match=r"Batches of different sizes .*pairing='roll'"):
                getattr(mixtransforms, method)(**options)(first, second=second)
            continue
        plan = getattr(mixtransforms, method)(**options).plan(first, second=second)
        assert plan.size == sum(sizes)
        for layer in plan.layers:
            assert (layer.rows < sizes[0]).all()
            assert ((layer.source >= sizes[0]) | (layer.source == layer.rows)).all()
        mix = getattr(mixtransforms, method)(**options)
        after = mix(first, second=second)
        assert after.keys() >= first.keys()
        assert after["names"] == first["names"]
        assert_first_rows(
            {n: v for n, v in after.items() if n != "names"}, mix.replay(plan, joined(first, second)), sizes[0]
        )
        assert Plan.from_dict(plan.to_dict()) == plan


# ------------------------------------------------------------------------------------------ who is whose partner


def chosen(pairing: Any, size: int, second: int, seeds: int, hints: Any = None) -> NDArray[np.int64]:
    """Partners of several draws, numbered from the first one of the second batch on."""
    generators = map(np.random.default_rng, range(seeds))
    return np.array([partners(pairing, size, rng, hints or {}, None, second) for rng in generators]) - size


@pytest.mark.parametrize("pairing", ["cycle", "matching", "permutation"])
@pytest.mark.parametrize("sizes", [(4, 4), (3, 7), (7, 3), (1, 1)], ids=str)
def test_partners_are_uniform_and_come_as_often(pairing: str, sizes: tuple[int, int]) -> None:
    drawn = chosen(pairing, *sizes, 3000)
    assert drawn.min() == 0
    assert drawn.max() == sizes[1] - 1
    times = np.array([np.bincount(each, minlength=sizes[1]) for each in drawn])
    assert times.max() <= -(-sizes[0] // sizes[1])
    assert times.min() >= sizes[0] // sizes[1]
    for row in drawn.T:  # chi-square with N - 1 degrees of freedom; the quantile of one in a million is below
        expected = len(row) / sizes[1]
        assert ((np.bincount(row, minlength=sizes[1]) - expected) ** 2 / expected).sum() < 40


def test_policies_that_draw_nothing_take_the_sample_at_the_same_place() -> None:
    rng = np.random.default_rng(0)
    assert partners("roll", 3, rng, {}, None, 3).tolist() == [3, 4, 5]
    assert partners("flip", 3, rng, {}, None, 3).tolist() == [5, 4, 3]
    assert partners("roll", 3, rng, {}, 3, 3).tolist() == [[3, 4, 5], [5, 3, 4], [4, 5, 3]]


CLASSES = np.array([0, 1, 2, 0, 0, 0, 1, 1])  # of three samples, and of five of the second batch


@pytest.mark.parametrize(
    ("pairing", "wanted"),
    [
        ("same_class", [[1 / 3] * 3 + [0] * 2, [0] * 3 + [1 / 2] * 2, None]),
        ("different_class", [[0] * 3 + [1 / 2] * 2, [1 / 3] * 3 + [0] * 2, [1 / 5] * 5]),
        ("class_balanced", [[1 / 6] * 3 + [1 / 4] * 2] * 3),
        (Within("site"), [[1 / 3] * 3 + [0] * 2, [0] * 3 + [1 / 2] * 2, None]),
        (Similar(1.0, units="raw"), "similar"),
        (Similar(1.0, units="raw", self_pairs=True), "similar"),
    ],
    ids=str,
)
def test_policies_that_read_labels_choose_in_the_second_batch(pairing: Any, wanted: Any) -> None:
    hints = {"classes": CLASSES, "value:site": CLASSES, "values": CLASSES[:, None].astype(np.float64)}
    drawn = chosen(pairing, 3, 5, 4000, hints)
    if wanted == "similar":
        weights = np.exp(-0.5 * (CLASSES[:3, None] - CLASSES[None, 3:]) ** 2.0)
        wanted = weights / weights.sum(axis=1, keepdims=True)
    for row, own in enumerate(wanted):
        if own is None:  # nobody is of its class: it stays itself
            assert (drawn[:, row] == row - 3).all()
            continue
        counts, expected = np.bincount(drawn[:, row], minlength=5), 4000 * np.asarray(own)
        assert (counts[expected == 0] == 0).all()
        assert ((counts - expected)[expected > 0] ** 2 / expected[expected > 0]).sum() < 40


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_every_pairing_at_a_transform(pairing: str) -> None:
    first, second = batch(4), batch(4, 4)
    plan = CutMix(num_classes=10, pairing=pairing, seed=1).plan(first, second=second)
    mixed = plan.partner[:4] != np.arange(4)
    assert (plan.partner[:4][mixed] >= 4).all()
    assert (plan.partner[4:] == np.arange(4, 8)).all()
    assert mixed.all() or pairing == "same_class"


def test_groups_and_numbers_are_read_of_both() -> None:
    first, second = batch(3), batch(5, 3)
    first["site"], second["site"] = ["a", "b", "c"], ["a", "a", "b", "b", "d"]
    plan = MixUp(num_classes=10, pairing=Within("site"), seed=0).plan(first, second=second)
    assert plan.partner[0] in (3, 4)
    assert plan.partner[1] in (5, 6)
    assert plan.partner[2] == 2
    images, values = (np.zeros((4, 8, 8, 3), np.uint8), np.array([0.0, 1.0, 2.0, 3.0]))
    mix = MixUp(kinds={1: "regression"}, pairing=Similar(0.01, units="raw"), seed=0)
    assert mix.plan(images, values, second=(images, values[::-1].copy())).partner[:4].tolist() == [7, 6, 5, 4]


def test_pasted_objects_are_of_the_second_batch_alone() -> None:
    mix = mixtransforms.CopyBlend(num_classes=10, min_area=4.0, seed=0, labels="mix", masks="mix")
    after = mix(batch(4), second=batch(6, 100))
    labels = np.concatenate(after["objects"]["class_labels"])
    assert set(np.unique(np.abs(labels))) <= {0, 1, 2, 3, *range(100, 106)}
    assert (np.abs(labels) >= 100).any()
    for row, own in enumerate(after["objects"]["class_labels"]):
        assert set(np.abs(own[np.abs(own) < 100]).tolist()) <= {row}


# ------------------------------------------------------------------------------------------ forms of batches


def test_a_batch_in_parts_and_lists_of_samples_and_one_array() -> None:
    whole = batch(9)
    images, labels = whole["images"], whole["labels"]
    mix = MixUp(num_classes=10)
    plan = MixUp(num_classes=10, seed=3).plan(images[:4], labels[:4], second=(images[4:], labels[4:]))
    wanted = [part[:4] for part in mix.replay(plan, images, labels)]
    samples = list(zip(images, labels.tolist(), strict=True))
    for result in (
        mix.replay(plan, images[:4], labels[:4], second=(images[4:], labels[4:])),
        mix.replay(plan, samples[:4], second=samples[4:]),
        mix.replay(plan, images[:4], labels[:4], second=samples[4:]),
        mix.replay(plan, [*images[:4]], labels[:4].tolist(), second=([*images[4:]], labels[4:].tolist())),
    ):
        for got, own in zip(result, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(got), own)
    np.testing.assert_array_equal(MixUp().replay(plan, images[:4], second=images[4:]), wanted[0])


def test_records_of_images_and_what_is_told_of_their_objects() -> None:
    rng = np.random.default_rng(0)

    def records(size: int, first: int) -> tuple[Any, list[Any]]:
        told = [{"boxes": np.array([[1.0, 1, 5, 6]]), "labels": np.array([first + row])} for row in range(size)]
        return rng.integers(0, 255, (size, 9, 9, 3)).astype(np.uint8), told

    first, second = records(3, 0), records(2, 50)
    plan = CutMix(seed=2).plan(first, second=second)
    images, told = CutMix().replay(plan, first, second=second)
    whole, every = CutMix().replay(plan, (np.concatenate([first[0], second[0]]), first[1] + second[1]))
    np.testing.assert_array_equal(images, whole[:3])
    assert len(told) == 3
    for own, other in zip(told, every, strict=False):
        for name, value in other.items():
            np.testing.assert_array_equal(own[name], value)


@pytest.mark.parametrize("shape", [(9, 8), (160, 150)], ids=str)
def test_originals_first_where_they_are_kept_and_nothing_is_overwritten(shape: tuple[int, int]) -> None:
    first, second = batch(3, 0, shape), batch(4, 3, shape)
    before = [value["images"].copy() for value in (first, second)]
    plan = MixUp(num_classes=10, masks="dominant", seed=1).plan(first, second=second)
    wanted = MixUp(num_classes=10, masks="dominant").replay(plan, first, second=second)
    kept = MixUp(num_classes=10, masks="dominant", keep_originals=True).replay(plan, first, second=second)
    np.testing.assert_array_equal(kept["images"][:3], first["images"])
    np.testing.assert_array_equal(kept["images"][3:], wanted["images"])
    np.testing.assert_array_equal(kept["masks"], np.concatenate([first["masks"], wanted["masks"]]))
    assert kept["names"] == first["names"] * 2
    assert len(kept["objects"]["boxes"]) == 6
    over = MixUp(num_classes=10, masks="dominant", inplace=True).replay(plan, first, second=second)
    np.testing.assert_array_equal(over["images"], wanted["images"])
    for value, own in zip((first, second), before, strict=True):
        np.testing.assert_array_equal(value["images"], own)


def test_hints_are_of_all_samples() -> None:
    first, second = batch(2)["images"], batch(3, 2)["images"]
    saliency = np.zeros((5, *SHAPE))
    saliency[:, 3, 4] = 1
    plan = mixtransforms.SaliencyMix(seed=0).plan(first, second=second, hints={"saliency": saliency})
    assert plan.size == 5
    with pytest.raises(InputError, match=r"No saliency .*of shape \(5, 13, 10\)"):
        mixtransforms.SaliencyMix().plan(first, second=second, hints={"saliency": saliency[:2]})


def test_tables_and_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rows = torch.rand(3, 6), torch.rand(4, 6)
    mix = MixUp(kinds={0: "table"}, passthrough=(1,))
    plan = MixUp(kinds={0: "table"}, passthrough=(1,), seed=0).plan(rows[0], ["a"] * 3, second=(rows[1], ["b"] * 4))
    got = mix.replay(plan, rows[0], ["a"] * 3, second=(rows[1], ["b"] * 4))
    assert torch.equal(got[0], plan.apply(torch.cat(rows))[:3])
    assert got[1] == ["a"] * 3
    images = torch.rand(3, 3, 8, 8, requires_grad=True), torch.rand(2, 3, 8, 8, requires_grad=True)
    plan = MixUp(seed=1).plan(images[0], second=images[1])
    MixUp().replay(plan, images[0], second=images[1]).sum().backward()
    shares = plan.share[:3, 1]
    for row, partner in enumerate(plan.partner[:3]):
        torch.testing.assert_close(images[0].grad[row].mean().item(), 1 - shares[row], check_dtype=False)
        expected = shares[plan.partner[:3] == partner].sum()
        torch.testing.assert_close(images[1].grad[partner - 3].mean().item(), expected, check_dtype=False)


# ------------------------------------------------------------------------------------------ the doors


def test_torchvision() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    door = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    from torchvision import tv_tensors

    first, second = (tv_tensors.Image(torch.rand(size, 3, 70, 80)) for size in (4, 3))
    labels = torch.arange(4), torch.arange(3)
    mix = door.CutMix(num_classes=10, seed=0)
    images, soft = mix(first, labels[0], second=(second, labels[1]))
    assert type(images) is tv_tensors.Image
    assert images.shape == first.shape
    assert soft.shape == (4, 10)
    assert not torch.equal(images, first)
    off = mix.eval()(first, labels[0], second=(second, labels[1]))
    assert torch.equal(off[0], first)
    assert off[1].argmax(dim=1).tolist() == [0, 1, 2, 3]


def test_albumentations() -> None:
    door = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    import albumentations as A

    first, second = ({name: batch(size, 0, (70, 80))[name] for name in ("images", "labels")} for size in (4, 3))
    wanted = door.CutMix(num_classes=10, seed=0)(**first, second=second)
    assert wanted.keys() == first.keys()
    assert wanted["images"].shape == first["images"].shape
    for strict in (False, True):
        through = A.Compose([door.CutMix(num_classes=10, seed=0)], strict=strict)(**first, second=second)
        assert through.keys() == first.keys()
        np.testing.assert_array_equal(through["images"], wanted["images"])
    samples = [{"image": image, "label": 3} for image in first["images"]]
    assert door.MixUp(num_classes=10)(samples, second=samples[:2])["image"].shape == first["images"].shape


# ------------------------------------------------------------------------------------------ keys


def test_calls_are_counted_and_elsewhere_both_are_known_by_content() -> None:
    import pickle

    first, second, other = (batch(size, number)["images"] for size, number in ((4, 0), (3, 10), (3, 20)))
    mix = MixUp(seed=5)
    plans = [mix.plan(first, second=second) for _ in range(2)]
    assert plans[0] != plans[1]
    assert [plan.key.step for plan in plans if plan.key] == [0, 1]
    mixtransforms.set_epoch(mix, 0)

    def travelled(batch: Any, **second: Any) -> Plan:
        return pickle.loads(pickle.dumps(mix)).plan(batch, **second)

    same = [travelled(first, second=second) for _ in range(2)] + [travelled([*first], second=[*second])]
    assert same[0] == same[1] == same[2]
    assert len({plan.key for plan in same}) == 1
    keys = {travelled(one, second=two).key for one, two in ((first, second), (first, other), (second, first))}
    assert len(keys) == 3
    assert travelled(first).key not in keys


# ------------------------------------------------------------------------------------------ what is refused

IMAGES, LABELS = batch(4)["images"], batch(4)["labels"]


@pytest.mark.parametrize(
    ("options", "given", "match"),
    [
        ({}, (IMAGES[:, :5], LABELS), r"of another form \(second\[0\]\): got numpy uint8 of shape \(N, 5, 10, 3\)"),
        ({}, (IMAGES.astype(np.float32), LABELS), r"of another form .*numpy float32 .*dtype of the other"),
        ({}, (IMAGES, LABELS.astype(np.int32)), r"of another form \(second\[1\]\): got numpy int32"),
        ({}, (IMAGES[:0], LABELS[:0]), "No partners .*second batch without samples"),
        ({}, (IMAGES, LABELS[:2]), r"Batch sizes disagree \(second\[1\]\)"),
        ({}, (IMAGES, LABELS + 7), r"\(second\[1\]\)"),
        ({}, (IMAGES,), r"Nothing to mix with \(second\[1\]\): got nothing there; wanted a label"),
        ({}, IMAGES, r"of another structure \(second\[0\]\): got nothing that is mixed; wanted image.* a tuple"),
        ({}, None, r"No second batch \(second\): got None"),
        ({}, {"images": IMAGES, "labels": LABELS}, r"of another structure \(second\[0\]\)"),
        ({"passthrough": (1,), "num_classes": None}, (IMAGES, LABELS, LABELS), r"batch\[2\]|second\[2\]"),
        ({"pairing": "flip"}, (IMAGES[:3], LABELS[:3]), "Batches of different sizes .*pairing='flip'"),
    ],
)
def test_what_does_not_belong_together_is_refused(options: Any, given: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        MixUp(**{"num_classes": 10, **options})(IMAGES, LABELS, second=given)


def test_a_value_of_that_name_never_passes_for_a_batch() -> None:
    times = np.arange(4)
    with pytest.raises(InputError, match=r"second.*A value that is only called 'second' goes into a dict"):
        MixUp(passthrough=("second",))(images=IMAGES, second=IMAGES)
    after = MixUp(passthrough=("second",))({"images": IMAGES, "second": times})
    assert after["second"] is times


def test_ways_out_for_unlabelled_samples() -> None:
    unlabelled = batch(3, 50)
    with pytest.raises(InputError, match=r"id of no class, such as -1 with ignore_index=-1 .*passthrough=\(1,\)"):
        MixUp(num_classes=10)(IMAGES, LABELS, second=(unlabelled["images"],))
    none = np.full(3, -1)
    mix = MixUp(num_classes=10, ignore_index=-1, seed=0)
    plan = MixUp(num_classes=10, ignore_index=-1, seed=0).plan(IMAGES, LABELS, second=(unlabelled["images"], none))
    _, soft = mix(IMAGES, LABELS, second=(unlabelled["images"], none))
    np.testing.assert_allclose(soft, np.eye(10)[LABELS] * plan.share[:4, :1], rtol=1e-6)
    images, labels = MixUp(passthrough=(1,))(IMAGES, LABELS, second=(unlabelled["images"],))
    assert labels is LABELS
    assert images.shape == IMAGES.shape
    masks = {"images": IMAGES, "masks": batch(4)["masks"]}
    with pytest.raises(InputError, match=r"second\['masks'\].*255 with ignore_index=255"):
        CutMix()(masks, second={"images": IMAGES})
    full = {"images": IMAGES + 50, "masks": np.full((4, *SHAPE), 255)}
    after = CutMix(ignore_index=255, seed=1)(masks, second=full)
    np.testing.assert_array_equal(after["masks"] == 255, after["images"][..., 0] >= 50)


def test_methods_and_pairings_of_ones_own_that_know_no_second_batch() -> None:
    from dataclasses import dataclass

    from mixtransforms.methods.base import NO_HINTS, PairMethod
    from mixtransforms.mixing import engine
    from mixtransforms.plan import Layer

    class Neighbours(Pairing):
        needs = frozenset()

        def partners(self, size: int, rng: Any, hints: Any) -> Any:
            return np.roll(np.arange(size), 1)

    with pytest.raises(InputError, match=r"knows nothing of second batches .*Add it to Neighbours"):
        MixUp(pairing=Neighbours())(IMAGES, second=IMAGES)

    @dataclass(frozen=True, repr=False)
    class Own(PairMethod):
        def draw(self, spec: BatchSpec, rng: Any, hints: Any = NO_HINTS) -> Plan:
            return Plan(spec, (Layer(np.arange(spec.size), np.roll(np.arange(spec.size), 1), np.full(spec.size, 0.5)),))

    drawn = Own().draw(BatchSpec(4, SHAPE, 3), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"takes no partners from a second batch \(Own\): got sample 3"):
        engine.of_both(drawn, "Own")


def test_declared_shares_follow() -> None:
    mix = CutMix(num_classes=10, correct_weight=False, seed=0)
    plan = mix.plan(IMAGES, LABELS, second=(IMAGES, LABELS))
    assert plan.label_share is not None
    assert plan.label_share.shape == (8, 2)
    np.testing.assert_array_equal(plan.label_share[4:], [[1.0, 0.0]] * 4)


def test_mosaics_of_a_sample_and_three_others() -> None:
    plan = Mosaic(labels="mix", seed=0).plan(IMAGES, second=IMAGES)
    assert (plan.sources[:4, 2:] >= 4).all()
    assert (plan.share[:4].sum(axis=1) == 1).all()


@pytest.mark.parametrize("name", ["torchvision", "albumentations"])
def test_pipelines_refuse_what_would_pass_for_a_value_of_the_batch(name: str) -> None:
    door = pytest.importorskip(f"mixtransforms.{name}", reason=f"{name} is not installed")
    pipeline = door.BatchCompose([door.MixUp()])
    for call in (pipeline, pipeline.trace):
        with pytest.raises(InputError, match="A second batch for a pipeline"):
            call(images=IMAGES, second={"images": IMAGES})


@pytest.mark.parametrize("shape", [SHAPE, (160, 170)], ids=str)
@pytest.mark.parametrize("keep", [False, True])
def test_partners_that_are_told_are_numbered_from_the_first_batch_on(shape: tuple[int, int], keep: bool) -> None:
    first, second = batch(3, 0, shape), batch(4, 3, shape)
    options = {"num_classes": 10, "partner": "other", "sources": "all", "keep_originals": keep}
    plan = CutMix(num_classes=10, seed=1).plan(first, second=second)
    after = CutMix(**options).replay(plan, first, second=second)
    assert after["other"].tolist() == [0, 1, 2][: 3 * keep] + plan.partner[:3].tolist()
    assert after["all"].shape == (3 + 3 * keep, 2)


@pytest.mark.parametrize("shape", [SHAPE, (160, 170)], ids=str)
def test_gains_follow(shape: tuple[int, int]) -> None:
    first, second = (batch(size, start, shape, "float32")["images"] for size, start in ((3, 0), (4, 3)))
    plan = MixUp(alpha=1.0, gain="power", seed=1).plan(first, second=second)
    assert plan.scale is not None
    assert plan.scale.shape == (7,)
    got = MixUp(alpha=1.0, gain="power", seed=1)(first, second=second)
    np.testing.assert_array_equal(got, plan.apply(np.concatenate([first, second]))[:3])


def test_samples_of_unequal_sizes_meet_those_of_similar_shape() -> None:
    first = [(16, 8), (8, 16), (12, 12), (16, 16)]
    second = [(16, 9), (9, 16), (16, 16), (15, 8), (8, 15)]
    pictures = [np.full((*size, 3), number, np.uint8) for number, size in enumerate(first + second)]
    both = [{"image": picture, "label": number} for number, picture in enumerate(pictures)]
    mix = CutMix(pad="max", pairing=SimilarShape(2), num_classes=9, seed=0)
    near = [{4, 7}, {5, 8}, {6, 4, 5}, {6, 4, 5}]  # two are equally far from a square
    seen: list[set[int]] = [set() for _ in first]
    for epoch in range(60):
        mixtransforms.set_epoch(mix, epoch)
        result = mix(both[:4], second=both[4:])
        for row, (height, width) in enumerate(first):
            numbers, counts = np.unique(result["image"][row, :height, :width, 0], return_counts=True)
            assert not result["image"][row, height:].any(), "padding is nobody's"
            shares = np.zeros(9)
            shares[numbers] = counts / (height * width)
            np.testing.assert_allclose(result["label"][row], shares, atol=1e-6)
            seen[row] |= set(numbers.tolist()) - {row}
    assert seen == near


@pytest.mark.parametrize("options", [{"fit": "contain"}, {"output_size": (20, 30)}, {"output_size": (9, 9), "p": 0.5}])
@pytest.mark.parametrize("sizes", [(2, 12), (5, 3)])
@pytest.mark.parametrize("shape", [SHAPE, (70, 60)])
def test_plans_on_canvases_are_of_all_samples(
    options: dict[str, Any], sizes: tuple[int, int], shape: tuple[int, int]
) -> None:
    """Those of the second batch are shown whole, as whatever is not mixed, wherever the plan goes."""
    first, second = batch(sizes[0], 1, shape), batch(sizes[1], 1 + sizes[0], shape)
    first, second = ({name: value for name, value in each.items() if name != "names"} for each in (first, second))
    mix = Mosaic(**options, num_classes=20, seed=1, boxes={"format": "xyxy"})
    plan = mix.plan(first, second=second)
    assert Plan.from_dict(plan.to_dict()) == plan == plan.where(np.ones(plan.size, np.bool_))
    painted = plan.apply(joined(first, second)["images"])
    for row in range(sizes[0], plan.size):
        assert set(np.unique(painted[row]).tolist()) - {0} == {row + 1}
    np.testing.assert_array_equal(mix.replay(plan, first, second=second)["images"], painted[: sizes[0]])


def test_objects_belong_together_by_their_place_and_of_one_form() -> None:
    def of(box: list[float], names: str) -> dict[str, Any]:
        sets = {name: {"boxes": [np.array([box])] * 3, "ids": [np.array([f"{name}{box[0]:g}"])] * 3} for name in names}
        return {"images": np.zeros((3, 20, 20, 3), np.uint8), **sets}

    options = {"seed": 0, "boxes": mixtransforms.BoxRules(min_visibility=0.0)}
    after = CutMix(**options)(of([1.0, 1.0, 19.0, 19.0], "ab"), second=of([2.0, 2.0, 18.0, 18.0], "ba"))
    for name in "ab":
        assert set(np.concatenate(after[name]["ids"]).tolist()) == {f"{name}1", f"{name}2"}
    listed = of([1.0, 1.0, 19.0, 19.0], "ab")
    listed["a"]["boxes"] = [[[1.0, 1.0, 19.0, 19.0]]] * 3
    for first, second in ((listed, of([1.0, 1.0, 9.0, 9.0], "ab")), (of([1.0, 1.0, 9.0, 9.0], "ab"), listed)):
        with pytest.raises(InputError, match=r"Objects of different forms \(second.'a'...boxes"):
            CutMix(**options)(first, second=second)
