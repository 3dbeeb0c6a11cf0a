"""Gains of sounds in MixUp: the amplitudes of both laws, the scale of a plan, and what every verb makes of it.

The oracle works sample by sample in float64, in decibels as the paper has them, from labels that are one-hot by sample.
"""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from doors import DOORS, Door
from numpy.typing import NDArray
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, Boxes, CutMix, InputError, Layer, MixUp, OneOf, Plan, PlanError, relabel
from mixtransforms.laws import Constant, Uniform

GAINS = ["power", "pressure"]

Values = NDArray[Any]


def added(gain: str, own: Values, partner: Values, weight: float) -> Values:
    """Two sounds by one of the laws, in float64, written as the paper writes it."""
    own, partner = own.astype(np.float64), partner.astype(np.float64)
    if gain == "linear":
        return weight * own + (1 - weight) * partner
    if gain == "power":
        return np.sqrt(weight) * own + np.sqrt(1 - weight) * partner
    decibels = [10 * np.log10(np.mean(sound**2)) for sound in (own, partner)]
    p = 1 / (1 + 10 ** ((decibels[0] - decibels[1]) / 20) * (1 - weight) / weight)
    return (p * own + (1 - p) * partner) / np.sqrt(p**2 + (1 - p) ** 2)


def sounds(size: int, *shape: int, dtype: Any = np.float32, seed: int = 0) -> Values:
    """Noise, every sample another 6 dB louder than the one before."""
    rng = np.random.default_rng(seed)
    loudness = 0.01 * 2.0 ** np.arange(size).reshape(size, *(1,) * len(shape))
    return (loudness * rng.normal(size=(size, *shape))).astype(dtype)


def expected(gain: str, given: Values, labels: Values) -> Values:
    """What every sample should be, from labels that tell by how much it is whom."""
    result = []
    for row, label in enumerate(np.asarray(labels, np.float64)):
        others = [index for index in range(len(given)) if index != row and label[index] > 0]
        assert len(others) <= 1
        result.append(added(gain, given[row], given[others[0]], label[row]) if others else given[row])
    return np.array(result, np.float64).reshape(given.shape)


def by_sample(plan: Plan) -> Values:
    """Labels that are one-hot by sample, in float64."""
    labels = np.zeros((plan.size, plan.size))
    np.add.at(labels, (np.arange(plan.size)[:, None], plan.sources), plan.target_share)
    return labels


TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-13}


def close(mixed: Any, wanted: Values, dtype: str) -> None:
    np.testing.assert_allclose(
        np.asarray(mixed, np.float64),
        wanted,
        rtol=TOLERANCE[dtype],
        atol=TOLERANCE[dtype] * np.abs(wanted).max(initial=1),
    )


@pytest.mark.parametrize("gain", ["linear", *GAINS])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("layout", "shape"), [("BT", (37,)), ("BCT", (2, 31)), ("BTC", (40_001, 1)), ("BCHW", (1, 5, 7))]
)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_amplitudes_are_those_of_the_law(gain: str, dtype: str, layout: str, shape: tuple[int, ...], size: int) -> None:
    given = sounds(size, *shape, dtype=dtype)
    mix = MixUp(1.0, gain=gain, num_classes=size, layout=layout, seed=4)
    plan = mix.plan(given, np.arange(size))
    mixed, labels = mix.replay(plan, given, np.arange(size))
    assert mixed.dtype == given.dtype
    np.testing.assert_allclose(labels, by_sample(plan), rtol=1e-6)
    close(mixed, expected(gain, given, by_sample(plan)), dtype)
    if size > 1:
        assert ((labels > 0.02) & (labels < 0.98)).any()


@pytest.mark.parametrize("gain", GAINS)
def test_no_samples(gain: str) -> None:
    mixed, labels = MixUp(gain=gain, num_classes=3, layout="BT")(np.zeros((0, 9), np.float32), np.zeros(0, np.int64))
    assert mixed.shape == (0, 9)
    assert labels.shape == (0, 3)
    empty = MixUp(1.0, gain=gain, layout="BT", seed=0)(np.zeros((3, 0), np.float32))
    assert empty.shape == (3, 0)


def test_both_are_heard_by_their_weights() -> None:
    """Of uncorrelated sounds: pressure weighs them as labels do, at one power; power keeps the mean power."""
    time = np.arange(1000)
    waves = np.stack([3.0 * np.sin(2 * np.pi * time / 10), 0.02 * np.sin(2 * np.pi * time / 8)])
    for gain in GAINS:
        mix = MixUp(weight=Constant(0.3), gain=gain, num_classes=2, layout="BT", seed=0)
        mixed, labels = mix(waves, np.arange(2))
        np.testing.assert_allclose(labels, [[0.3, 0.7], [0.7, 0.3]], rtol=1e-6)
        heard = np.array([[2 * np.mean(row * np.sin(2 * np.pi * time / f)) for f in (10, 8)] for row in mixed])
        if gain == "pressure":
            np.testing.assert_allclose(heard[:, 0] / heard.sum(axis=1), [0.3, 0.7], rtol=1e-9)
        else:
            power = np.mean(waves**2, axis=1)
            np.testing.assert_allclose(np.mean(mixed**2, axis=1), [power @ [0.3, 0.7], power @ [0.7, 0.3]], rtol=1e-9)


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("gain", GAINS)
def test_the_weight_is_drawn_as_ever(gain: str, per: str) -> None:
    spec, hints = BatchSpec(7, (16,)), {"images": sounds(7, 16, 1)}
    plain = mixtransforms.methods.MixUp(1.0, per=per, p=0.7)
    plan, other = (
        method.draw(spec, np.random.default_rng(3), hints) for method in (dataclasses.replace(plain, gain=gain), plain)
    )
    np.testing.assert_array_equal(plan.partner, other.partner)
    np.testing.assert_allclose(plan.target_share, other.share, atol=1e-15)
    assert (plan.scale[~other.mixed] == 1).all()
    assert (plan.scale[other.mixed] > 1).all()


def test_a_uniform_ratio_of_the_paper() -> None:
    spec = BatchSpec(4000, (2,))
    plan = mixtransforms.methods.MixUp(1.0, gain="power").draw(spec, np.random.default_rng(0))
    assert stats.kstest(plan.target_share[:, 0], "uniform").statistic < 1.95 / np.sqrt(4000)
    np.testing.assert_allclose(plan.scale, np.sqrt(plan.target_share).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize("gain", GAINS)
def test_ends_are_one_sound_bit_by_bit(gain: str, weight: float) -> None:
    given = sounds(4, 33)
    given[2] = 0
    mix = MixUp(weight=Constant(weight), gain=gain, layout="BT", seed=0)
    plan = mix.plan(given)
    assert (plan.scale == 1).all()
    assert (mix.replay(plan, given) == given[np.arange(4) if weight else plan.partner]).all()


@pytest.mark.parametrize("faint", [0.0, 1e-30, 0.99e-4])
def test_a_silent_sound_has_no_level(faint: float) -> None:
    """It is added as one that is as loud: nobody is turned down for the sake of silence."""
    given = np.ones((2, 50))
    given[1] *= faint
    mix = MixUp(weight=Constant(0.25), gain="pressure", num_classes=2, layout="BT", seed=0)
    mixed, labels = mix(given, np.arange(2))
    assert np.isfinite(mixed).all()
    norm = np.hypot(0.25, 0.75)
    np.testing.assert_allclose(mixed[:, 0], [(0.25 + 0.75 * faint) / norm, (0.25 * faint + 0.75) / norm], rtol=1e-12)
    np.testing.assert_allclose(labels, [[0.25, 0.75], [0.75, 0.25]])
    assert (mix(np.zeros((2, 50)), np.arange(2))[0] == 0).all()
    loud = mix(np.ones((2, 50)) * np.array([[1.0], [1.01e-4]]), np.arange(2))[0]  # 79.9 dB below: it is raised
    assert loud[0, 0] < 0.01


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_sounds_without_a_level_are_refused(bad: float) -> None:
    given = sounds(3, 20, dtype=np.float64)
    given[1, 3] = bad
    mix = MixUp(gain="pressure", layout="BT", seed=0)
    with pytest.raises(InputError, match=r"no level \(MixUp.draw\): got numbers in rows \[1\].*isfinite.*gain='power'"):
        mix(given)
    assert MixUp(gain="power", layout="BT", seed=0)(given).shape == given.shape
    if not np.isfinite(bad):
        assert np.isfinite(mix(np.where(np.isfinite(given), given, 0))).all()


def test_a_draw_without_a_batch_needs_levels() -> None:
    with pytest.raises(InputError, match="MixUp reads images"):
        mixtransforms.methods.MixUp(gain="pressure").draw(BatchSpec(3, (4,)), np.random.default_rng(0))


# ------------------------------------------------------------------------------------------ verbs of a plan


@pytest.mark.parametrize("gain", GAINS)
def test_every_verb_of_a_plan(gain: str) -> None:
    given, ids = sounds(6, 2, 45), np.arange(6)
    mix = MixUp(1.0, gain=gain, p=0.7, num_classes=6, layout="BCT", seed=2)
    plan = mix.plan(given, ids)
    mixed, labels = mix.replay(plan, given, ids)
    assert 0 < plan.mixed.sum() < 6
    close(mixed, expected(gain, given, labels), "float32")
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False)))
    assert again == plan
    assert again != plan.unscaled
    for same in (again, plan.keyed(plan.key), mix.method.redraw(plan.key, plan.spec, {"images": given.swapaxes(1, 2)})):
        assert (mix.replay(same, given, ids)[0] == mixed).all()
        assert (mix.replay(same, given, ids)[1] == labels).all()
    assert (plan.apply(given) == mixed).all()
    assert (plan.on((90,)).apply(given) == mixed).all()
    keep = np.arange(6) % 2 == 0
    some, soft = mix.replay(plan.where(keep), given, ids)
    assert (some == np.where(keep[:, None, None], mixed, given)).all()
    assert (soft == np.where(keep[:, None], labels, np.eye(6))).all()
    pixels, measured = mix.replay(plan.measured, given, ids)
    assert (pixels == mixed).all()
    np.testing.assert_allclose(measured[ids, ids], plan.weight, rtol=1e-6)
    other = relabel(plan, np.full(6, 0.5))
    assert (mix.replay(other, given, ids)[0] == mixed).all()
    assert (other.target_share[:, 0] == 0.5).all()
    pixels = mix.replay(plan.unscaled, given, ids)[0]
    np.testing.assert_allclose(pixels * plan.scale[:, None, None], mixed, rtol=1e-6)
    assert f"times {plan.scale[plan.mixed][0]:.3f}" in str(plan)
    assert plan.to_dict()["plan_version"] == 2
    assert "scale" not in MixUp(layout="BCT", seed=0).plan(given).to_dict()


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("size", [37, 40_001])
def test_options_of_the_call(gain: str, size: int) -> None:
    given, ids = sounds(4, size), np.arange(4)
    mix = MixUp(1.0, gain=gain, num_classes=4, layout="BT", seed=2)
    plan = mix.plan(given, ids)
    mixed, labels = mix.replay(plan, given, ids)
    both, soft = dataclasses.replace(mix, keep_originals=True).replay(plan, given, ids)
    assert (both == np.concatenate([given, mixed])).all()
    assert (soft == np.concatenate([np.eye(4), labels])).all()
    _, (own, partner, weight) = dataclasses.replace(mix, labels="pair").replay(plan, given, ids)
    assert (partner == plan.partner).all()
    np.testing.assert_array_equal(weight, labels[own, own])
    copy = given.copy()
    result, _ = dataclasses.replace(mix, inplace=True).replay(plan, copy, ids)
    assert result is copy
    assert (copy == mixed).all()
    listed, _ = mix.replay(plan, [(row, int(label)) for row, label in zip(given, ids, strict=True)])
    assert (listed == mixed).all()
    assert (given == sounds(4, size)).all()


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_a_choice_scales_whom_it_blends_by_power(per: str) -> None:
    given, ids, kinds = sounds(8, 64), np.arange(8), set()
    for seed in range(12):
        mix = OneOf(
            [MixUp(1.0, gain="power"), CutMix(), MixUp(1.0)], per=per, p=0.8, num_classes=8, layout="BT", seed=seed
        )
        plan = mix.plan(given, ids)
        mixed, labels = mix.replay(plan, given, ids)
        assert Plan.from_dict(plan.to_dict()) == plan
        for row in range(8):
            layer = next((layer for layer in plan.layers if row in layer.rows), None)
            power = plan.scale[row] != 1
            kinds.add(
                "alone" if layer is None else "cut" if layer.region is not None else "power" if power else "linear"
            )
            assert not power or (layer is not None and layer.region is None)
            if layer is not None and layer.region is None:
                wanted = added("power" if power else "linear", given[row], given[plan.partner[row]], labels[row, row])
                close(mixed[row], wanted, "float32")
    assert kinds == {"alone", "cut", "power", "linear"}


def test_masks_and_weights_of_samples_are_not_scaled() -> None:
    given = sounds(4, 24)
    mix = MixUp(
        1.0,
        gain="power",
        layout="BT",
        seed=1,
        masks="soft",
        num_classes=2,
        kinds={"masks": "mask", "age": "regression"},
    )
    batch = {"images": given, "masks": np.ones((4, 24), np.int64), "age": np.ones(4), "labels": np.zeros(4, np.int64)}
    mixed = mix(batch)
    np.testing.assert_allclose(mixed["masks"][..., 1], 1, rtol=1e-6)
    np.testing.assert_allclose(mixed["age"], 1, rtol=1e-6)
    np.testing.assert_allclose(mixed["labels"], [[1, 0]] * 4, rtol=1e-6)
    assert (np.abs(mixed["images"]).max(axis=1) > 0).all()


# ------------------------------------------------------------------------------------------ torch


def on_torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("length", [45, 40_001])
def test_both_back_ends(gain: str, dtype: str, length: int) -> None:
    torch = on_torch()
    given = torch.from_numpy(sounds(5, 2, length)).to(getattr(torch, dtype))
    mix = MixUp(1.0, gain=gain, num_classes=5, layout="BCT", seed=2)
    plan = mix.plan(given, torch.arange(5))
    mixed = mix.replay(plan, given, torch.arange(5))[0]
    assert mixed.dtype == given.dtype
    close(mixed.double(), expected(gain, given.double().numpy(), by_sample(plan)), dtype)
    if dtype != "bfloat16":
        assert (plan.apply(given.numpy(), "channels_first") == mixed.numpy()).all()
        assert mix.plan(given.numpy(), np.arange(5)).spec == plan.spec
    listed, _ = mix.replay(plan, [(row, label) for label, row in enumerate(given)])  # never stacked before
    assert (listed == mixed).all()
    own = given.clone()
    assert dataclasses.replace(mix, inplace=True).replay(plan, own, torch.arange(5))[0] is own
    assert (own == mixed).all()
    # What devices and autograd run.
    assert (plan.apply(given.clone().requires_grad_()) == mixed).all()


@pytest.mark.parametrize("gain", GAINS)
def test_gradients_are_the_amplitudes(gain: str) -> None:
    torch = on_torch()
    given = torch.from_numpy(sounds(4, 9, dtype=np.float64)).requires_grad_()
    mix = MixUp(1.0, gain=gain, layout="BT", seed=3)
    plan = mix.plan(given)
    mix.replay(plan, given).sum().backward()
    share = plan.share * plan.scale[:, None]
    wanted = share[:, 0].copy()
    np.add.at(wanted, plan.partner, share[:, 1])
    np.testing.assert_allclose(given.grad.numpy(), np.repeat(wanted[:, None], 9, axis=1), rtol=1e-12)


def test_pure_functions_of_tensors() -> None:
    torch = on_torch()
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from mixtransforms.torchvision import functional

    given = torch.from_numpy(sounds(4, 1, 6, 7))
    mix = MixUp(1.0, gain="power", p=0.6, num_classes=4, seed=3)
    forms = set()
    for _ in range(20):
        plan = mix.plan(given, torch.arange(4))
        mixed, labels = mix.replay(plan, given, torch.arange(4))
        for full in (False, True):
            tensors = plan.tensors(full=full)
            np.testing.assert_allclose(functional.mix(given, tensors), mixed, rtol=1e-6, atol=1e-9)
            soft = functional.mix_labels(torch.arange(4), tensors, num_classes=4)
            np.testing.assert_allclose(soft, labels, rtol=1e-6)
            assert (functional.mix_masks(torch.ones(4, 6, 7), tensors) == 1).all()
        forms.add(str(plan.tensors(full=True)._form()))
        assert plan.tensors(full=True).clone().copy_(plan.tensors(full=True)).scale is not None
    assert len(forms) == 1  # one graph, whoever is mixed
    assert MixUp(seed=0).plan(given).tensors(full=True).scale is None
    with pytest.raises(InputError, match=r"cannot be scaled \(tensors\): got dtype int16"):
        functional.mix(given.to(torch.int16), plan.tensors())


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_every_door(door: Door, gain: str) -> None:
    mix = door.transform("MixUp", alpha=1.0, gain=gain, num_classes=5, seed=6)
    images: Any = sounds(5, 6, 7, 1)
    ids: Any = np.arange(5)
    if "numpy" not in door.backends:
        images, ids = on_torch().from_numpy(images), on_torch().from_numpy(ids)
        images = images.movedim(3, 1)
    plan = door.plan(mix, images, ids)
    mixed, labels = door.replay(mix, plan, images, ids)
    close(mixed, expected(gain, np.asarray(images), by_sample(plan)), "float32")
    np.testing.assert_allclose(labels, by_sample(plan), rtol=1e-6)


# ------------------------------------------------------------------------------------------ errors and files


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
@pytest.mark.parametrize("gain", GAINS)
def test_whole_numbers_are_refused(gain: str, dtype: str) -> None:
    images = (sounds(3, 50) * 1000).clip(0, 200).astype(dtype)
    mix = MixUp(1.0, gain=gain, layout="BT", seed=0)
    text = rf"cannot be scaled \(.*\): got dtype {dtype}, .*wanted floats.*float32 first.*images / 32768.*gain='linear'"
    plan = mix.plan(images / 32768)
    refused = [
        lambda: mix(images),
        lambda: OneOf([mix.method, CutMix()], layout="BT")(images),
        lambda: plan.apply(images),
        lambda: MixUp(layout="BT").replay(plan, images),
    ]
    for call in refused:
        with pytest.raises(InputError, match=text):
            call()
    assert mix(images / 32768).dtype == np.float64
    assert dataclasses.replace(mix, gain="linear")(images).dtype == images.dtype


def test_whole_numbers_pass_where_nothing_is_mixed() -> None:
    torch = on_torch()
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from mixtransforms import torchvision as door

    images = torch.ones(2, 1, 4, 4, dtype=torch.int16)
    assert (door.MixUp(gain="power").eval()(images) == images).all()


LAYERS = (Layer([0], [1], [0.5]),)


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        ([1.0, 1.0], r"Scales do not fit \(scale\): got \(2,\); wanted \(3,\)"),
        ([np.nan, 1.0, 1.0], "Scales are none .*nan in row 0; wanted finite numbers above 0"),
        ([np.inf, 1.0, 1.0], "inf in row 0"),
        ([0.0, 1.0, 1.0], "0 in row 0"),
        ([-1.5, 1.0, 1.0], "-1.5 in row 0"),
        ([1.5, 1.0, 2.0], "2 in row 2, on which nothing is painted; wanted 1.*Give 1"),
    ],
)
def test_bad_scales(scale: list[float], text: str) -> None:
    spec = BatchSpec(3, (4,))
    good = Plan(spec, LAYERS, scale=np.array([1.5, 1, 1]))
    assert not good.scale.flags.writeable
    with pytest.raises(PlanError, match=text):
        Plan(spec, LAYERS, scale=np.array(scale))
    if np.isfinite(scale).all():
        with pytest.raises(PlanError, match=text):
            Plan.from_dict(good.to_dict() | {"scale": scale})
    with pytest.raises(PlanError, match="Not a plan"):
        Plan.from_dict(good.to_dict() | {"plan_version": 1})
    with pytest.raises(PlanError, match="Not a plan"):
        Plan.from_dict(good.to_dict() | {"scale": ["1", "1", "1"]})


def test_any_plan_may_have_a_scale() -> None:
    spec = BatchSpec(3, (4, 5))
    plan = Plan(
        spec, (Layer([0, 2], [1, 0], [1.0, 0.5], Boxes([[0, 1], [1, 0]], [[2, 5], [4, 3]])),), scale=[2.0, 1, 0.5]
    )
    images = np.random.default_rng(0).random((3, 4, 5, 2))
    np.testing.assert_allclose(plan.apply(images), plan.unscaled.apply(images) * plan.scale[:, None, None, None])
    assert (plan.apply(images)[1] == images[1]).all()


def test_files_hold_the_gain_only_where_it_is_used() -> None:
    plain, loud = MixUp(0.3), MixUp(1.0, gain="pressure", weight=None)
    assert "gain" not in json.dumps(mixtransforms.to_dict(plain))
    assert json.dumps(mixtransforms.to_dict(loud)).count('"gain": "pressure"') == 1
    assert (
        repr(mixtransforms.from_dict(mixtransforms.to_dict(loud))) == repr(loud) == "MixUp(alpha=1.0, gain='pressure')"
    )
    with pytest.raises(mixtransforms.ParameterError, match="'linear', 'power', 'pressure'"):
        MixUp(gain="loud")


def test_pictures_of_masks_are_not_scaled(tmp_path: Any) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from mixtransforms import show

    images, masks = np.zeros((2, 16, 20, 3), np.float32), np.zeros((2, 16, 20), np.int64)
    masks[0, 3:9, 4:15], masks[1, 8:, :10] = 1, 2
    plan = MixUp(weight=Constant(0.5), gain="power", seed=0).plan(images)
    assert (plan.scale > 1.4).all()
    for name, own in {"scaled": plan, "plain": plan.unscaled}.items():
        show.batch({"image": images, "masks": masks}, own, save=tmp_path / f"{name}.png")
    assert (tmp_path / "scaled.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


# ------------------------------------------------------------------------------------------ recipes


def test_sounds_of_unequal_lengths() -> None:
    """The shorter is padded by silence, which counts for its level."""
    rng = np.random.default_rng(0)
    samples = [(rng.normal(size=length), label) for label, length in enumerate([50, 33, 8])]
    for gain in ["linear", *GAINS]:
        mix = MixUp(weight=Uniform(0.2, 0.8), gain=gain, num_classes=3, layout="BT", pad="max", seed=0)
        plan = mix.plan(samples)
        mixed, _ = mix.replay(plan, samples)
        padded = np.stack([np.pad(sound, (0, 50 - len(sound))) for sound, _ in samples])
        close(mixed, expected(gain, padded, by_sample(plan)), "float64")


@pytest.mark.parametrize("gain", GAINS)
def test_partners_of_a_second_batch_have_levels_of_their_own(gain: str) -> None:
    every = sounds(7, 60, dtype=np.float64)
    mix = MixUp(1.0, gain=gain, num_classes=7, layout="BT", seed=0)
    first, second = (every[:3], np.arange(3)), (every[3:], np.arange(3, 7))
    mixed, _ = mix(*first, second=second)
    plan = MixUp(1.0, gain=gain, num_classes=7, layout="BT", seed=0).plan(*first, second=second)
    assert (plan.partner[:3] >= 3).all()
    close(mixed, expected(gain, every, by_sample(plan))[:3], "float64")
