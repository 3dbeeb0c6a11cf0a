"""Axes of images: which are mixed, and when they plainly say that they are others."""

from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp, ParameterError, Table
from mixtransforms.core.layout import Layout

torch = pytest.importorskip("torch", reason="torch is not installed")


def images(backend: str, *shape: int) -> Any:
    return np.zeros(shape, np.float32) if backend == "numpy" else torch.zeros(shape)


@pytest.mark.parametrize(
    ("backend", "shape", "layout", "mixed"),
    [
        ("numpy", (2, 20, 30, 3), None, (20, 30)),
        ("numpy", (2, 20, 30, 3), "channels_last", (20, 30)),
        ("numpy", (2, 3, 20, 30), "channels_first", (20, 30)),
        ("numpy", (2, 20, 30), None, (20, 30)),
        ("numpy", (2, 20, 30), "channels_last", (20, 30)),
        ("numpy", (2, 1, 1, 3), None, (1, 1)),
        ("numpy", (2, 3, 8, 8), None, (3, 8)),  # tiny: nobody can say what these are
        ("numpy", (2, 20, 30, 200), None, (20, 30)),  # many channels
        ("torch", (2, 3, 20, 30), None, (20, 30)),
        ("torch", (2, 3, 20, 30), "channels_first", (20, 30)),
        ("torch", (2, 20, 30, 3), "channels_last", (20, 30)),
        ("torch", (2, 200, 20, 30), None, (20, 30)),
        ("torch", (2, 3, 1, 1), None, (1, 1)),
        ("torch", (0, 3, 20, 30), None, (20, 30)),
        ("numpy", (2, 64, 64, 12), None, (64, 64)),  # twelve bands, as remote sensing has them
        ("torch", (2, 12, 64, 64), None, (64, 64)),
        ("numpy", (2, 12, 64, 64), "channels_first", (64, 64)),
        ("torch", (2, 64, 64, 12), "channels_last", (64, 64)),
        ("numpy", (2, 12, 31, 64), None, (12, 31)),  # small: nobody can say what these are
        ("numpy", (2, 17, 64, 64), None, (17, 64)),
        ("torch", (2, 64, 32, 17), None, (32, 17)),
        ("torch", (2, 16, 64, 12), None, (64, 12)),
    ],
)
def test_mixed_axes(backend: str, shape: tuple[int, ...], layout: str | None, mixed: tuple[int, int]) -> None:
    plan = CutMix(layout=layout).plan(images(backend, *shape))
    assert plan.spec.shape == mixed
    assert plan.spec.size == shape[0]


@pytest.mark.parametrize(
    ("backend", "shape", "wanted", "fix"),
    [
        ("numpy", (2, 3, 20, 30), "channels last", "channels_first"),
        ("numpy", (2, 1, 28, 28), "channels last", "channels_first"),
        ("torch", (2, 20, 30, 3), "channels first", "channels_last"),
        ("torch", (2, 32, 32, 4), "channels first", "channels_last"),
        ("numpy", (2, 12, 64, 64), "channels last", "channels_first"),
        ("numpy", (2, 16, 32, 32), "channels last", "channels_first"),
        ("numpy", (2, 2, 40, 32), "channels last", "channels_first"),
        ("torch", (2, 64, 64, 12), "channels first", "channels_last"),
        ("torch", (2, 32, 32, 16), "channels first", "channels_last"),
        ("torch", (2, 200, 40, 13), "channels first", "channels_last"),
    ],
)
def test_axes_that_say_otherwise(backend: str, shape: tuple[int, ...], wanted: str, fix: str) -> None:
    given = images(backend, *shape)
    with pytest.raises(
        InputError, match=rf"axes plainly say another layout \(batch\): .* wanted {wanted}.* Say layout='{fix}'"
    ):
        MixUp()(given)
    assert MixUp(layout=fix)(given).shape == given.shape


@pytest.mark.parametrize("door", [MixUp, CutMix])
def test_bands_are_asked_for_in_every_form_of_a_batch(door: Any) -> None:
    """In a dict, as samples, and as a list; the answer mixes the axes that are those of the picture."""
    values = np.zeros((2, 12, 64, 64), np.float32)
    forms = {
        "dict": {"image": values, "label": np.array([0, 1])},
        "tuple": (values, np.array([0, 1])),
        "samples": [{"image": value, "label": 0} for value in values],
        "list": {"image": list(values)},
        "second image": {"image": np.zeros((2, 64, 64, 3), np.float32), "x": values},
    }
    for name, form in forms.items():
        count = {} if name in ("list", "second image") else {"num_classes": 2}
        with pytest.raises(InputError, match=r"another layout .*got shape \(2, 12, 64, 64\).*layout='channels_first'"):
            door(**count)(form)
        if name != "second image":
            assert door(layout="channels_first", **count).plan(form).spec.shape == (64, 64)


def test_a_plan_knows_the_axes_and_never_asks() -> None:
    plan = CutMix(seed=0, layout="channels_first").plan(np.zeros((2, 3, 12, 64), np.float32))
    assert plan.apply(np.zeros((2, 12, 64, 64), np.float32)).shape == (2, 12, 64, 64)
    wide = CutMix(seed=0).plan(torch.zeros(2, 3, 64, 12))
    assert wide.apply(torch.zeros(2, 64, 64, 12)).shape == (2, 64, 64, 12)


@pytest.mark.parametrize(
    ("backend", "shape", "wanted"),
    [
        ("numpy", (3, 32, 32), r"channels last, \(H, W, C\)\. Say layout='channels_first'"),
        ("numpy", (12, 64, 64), r"channels last, \(H, W, C\)\. Say layout='channels_first'"),
        ("torch", (64, 64, 12), r"channels first, \(C, H, W\)\. Say layout='channels_last'"),
        ("numpy", (64, 64, 12), None),
        ("numpy", (64, 64), None),
        ("torch", (12, 64, 64), None),
    ],
)
def test_one_sample_is_asked_alike(backend: str, shape: tuple[int, ...], wanted: str | None) -> None:
    """For whoever moves the axes of a sample before there is a batch."""
    image = images(backend, *shape)
    if wanted is None:
        Layout().check_sample(image, "sample")
        return
    with pytest.raises(InputError, match=rf"another layout \(sample\): got shape .*wanted {wanted}"):
        Layout().check_sample(image, "sample")
    Layout("channels_last" if "first, " in wanted else "channels_first").check_sample(image, "sample")


@pytest.mark.parametrize(
    ("backend", "shape"),
    [
        ("torch", (3, 20, 30)),
        ("torch", (20, 30)),
        ("torch", (2, 5, 3, 20, 30)),
        ("numpy", (2, 5, 20, 30, 3)),
        ("numpy", (7,)),
        ("numpy", (20, 30, 3)),
    ],
)
def test_what_is_no_batch_of_images(backend: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=r"Not a batch of images \(batch\): got shape .* wanted \(B, C, H, W\) for tensors"
    ):
        MixUp()(images(backend, *shape))


def test_one_image_is_named_as_such() -> None:
    message = (
        r"got shape \(3, 20, 30\), which looks like one image; .* Mix batches, after collation; to gray images add "
    )
    with pytest.raises(InputError, match=message + r"an axis, images\[:, None\]\."):
        MixUp()(images("torch", 3, 20, 30))
    with pytest.raises(InputError, match=r"got shape \(224, 224, 3\), which looks like one image"):
        MixUp()(images("numpy", 224, 224, 3))


@pytest.mark.parametrize("shape", [(8, 12, 256), (8, 2, 1000), (8, 6, 100), (2, 1, 32), (8, 16, 64), (64, 12, 256)])
@pytest.mark.parametrize("last", [False, True], ids=["BCT", "BTC"])
def test_signals_are_not_cut_between_leads(shape: tuple[int, ...], last: bool) -> None:
    """Both ways out that are named lead on: for signals every lead is cut alike."""
    layout = "BTC" if last else "BCT"
    values = images("numpy", *((shape[0], shape[2], shape[1]) if last else shape))
    message = rf"Signals or gray images \(batch\): got shape .* layout='{layout}' for signals, .* layout='BHW' for gray"
    for mix in (CutMix(1.0, seed=0), MixUp(1.0, seed=0)):
        with pytest.raises(InputError, match=message):
            mix(values)
    assert CutMix(1.0, layout=layout).plan(values).spec.shape == (shape[2],)
    assert CutMix(1.0, layout="BHW").plan(values).spec.shape == values.shape[1:]
    assert CutMix(1.0, layout="channels_last")(values).shape == values.shape
    with pytest.raises(
        InputError, match=rf"Not a batch of images .* Say layout='{layout}' for signals\. .*images\[:, N"
    ):
        CutMix(1.0)(torch.from_numpy(values))
    assert CutMix(1.0, layout=layout).plan(torch.from_numpy(values)).spec.shape == (shape[2],)


@pytest.mark.parametrize(
    "shape", [(64, 28, 28), (2, 8, 8), (5, 12, 17), (4, 16, 63), (4, 7, 31), (4, 17, 400), (0, 9, 9)]
)
def test_what_gray_images_look_like(shape: tuple[int, ...]) -> None:
    assert CutMix(1.0).plan(images("numpy", *shape)).spec.shape == shape[1:]


def test_gray_batches_of_tensors_need_an_axis_of_channels() -> None:
    """64 samples without channels are not called one image; the step that is named leads on."""
    gray, last = images("torch", 64, 28, 28), MixUp(layout="channels_last")
    with pytest.raises(
        InputError, match=r"\(64, 28, 28\), images without an axis.*Add the axis of channels, images\[:, N"
    ):
        MixUp()(gray)
    assert MixUp()(gray[:, None]).shape == (64, 1, 28, 28)
    with pytest.raises(InputError, match=r"Add the axis of channels, images\[\.\.\., None\]\.$"):
        last(gray)
    assert last(gray[..., None]).shape == (64, 28, 28, 1)


@pytest.mark.parametrize("first", [True, False], ids=["map first", "images first"])
def test_maps_beside_a_batch_are_no_images_of_their_own(first: bool) -> None:
    """Both steps that are named lead on: an axis more, or a mask."""
    depth, pictures = torch.rand(4, 8, 8), torch.rand(4, 3, 8, 8)
    batch = {"depth": depth, "image": pictures} if first else {"image": pictures, "depth": depth}
    message = r"\(batch\['depth'\]\): got shape \(4, 8, 8\), images without an axis of channels; .*, or say that it is a 'mask'"
    with pytest.raises(InputError, match=message):
        MixUp(kinds={"depth": "image"})(batch)
    assert MixUp(kinds={"depth": "image"})(batch | {"depth": depth[:, None]})["depth"].shape == (4, 1, 8, 8)
    assert MixUp(kinds={"depth": "mask"})(batch)["depth"].shape == (4, 8, 8)


SHARED: dict[str, tuple[str, str | None, tuple[int, ...], str]] = {
    "video, every frame alike": ("BTCHW", "spatial", (4, 5, 2, 6, 7), "HW"),
    "video, by default": ("BTCHW", None, (4, 5, 2, 6, 7), "HW"),
    "video, a span of frames": ("BTCHW", "temporal", (4, 9, 2, 3, 4), "T"),
    "video, a box in time and space": ("BTCHW", "cube", (4, 5, 2, 6, 7), "THW"),
    "video, channels first": ("BCTHW", "cube", (4, 2, 5, 6, 7), "THW"),
    "video, channels last": ("BTHWC", "spatial", (4, 5, 6, 7, 2), "HW"),
    "volume": ("BCDHW", None, (4, 2, 5, 6, 7), "DHW"),
    "slices of a volume": ("BCDHW", "D", (4, 2, 9, 3, 4), "D"),
    "waveform": ("BT", None, (4, 50), "T"),
    "waveform of channels": ("BCT", None, (4, 2, 50), "T"),
    "spectrogram, in time": ("BFT", "T", (4, 6, 30), "T"),
    "spectrogram, in frequency": ("BFT", "F", (4, 30, 6), "F"),
    "spectrogram, in both": ("BFT", "FT", (4, 12, 15), "FT"),
    "spectrogram of channels": ("BCFT", "FT", (4, 2, 12, 15), "FT"),
    "embeddings": ("BTC", None, (4, 20, 3), "T"),
    "features, in a span": ("BF", "F", (4, 30), "F"),
}


def lit(shape: tuple[int, ...], sample: int) -> Any:
    """Zeros, and ones in one sample."""
    values = np.zeros(shape)
    values[sample] = 1
    return values


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("name", SHARED)
def test_labels_have_the_share_that_is_seen(name: str, method: Any) -> None:
    """Of every source, over all axes; a region spans the mixed axes, and is the same along the others."""
    layout, axes, shape, mixed = SHARED[name]
    options: dict[str, Any] = {"layout": layout, "axes": axes, "seed": 3}
    transform = method(alpha=1.0, **options)
    for _ in range(5):
        plan = transform.plan(np.zeros(shape), np.eye(4))
        assert plan.spec.shape == tuple(shape[layout.index(letter)] for letter in mixed)
        labels = transform.replay(plan, np.zeros(shape), np.eye(4))[1]
        for source in range(4):
            seen = transform.replay(plan, lit(shape, source), np.eye(4))[0]
            np.testing.assert_allclose(seen.reshape(4, -1).mean(axis=1), labels[:, source], atol=1e-7)
            along = tuple(place for place, letter in enumerate(layout) if letter not in "B" + mixed)
            np.testing.assert_array_equal(seen, np.broadcast_to(seen.max(axis=along, keepdims=True), shape))
            if method is CutMix:
                assert set(np.unique(seen)) <= {0.0, 1.0}


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("name", SHARED)
def test_numpy_and_torch_mix_layouts_alike(name: str, method: Any) -> None:
    layout, axes, shape, _ = SHARED[name]
    values = np.random.default_rng(0).random(shape)
    first, second = (method(layout=layout, axes=axes, seed=5) for _ in range(2))
    ours, theirs = first(values), second(torch.from_numpy(values))
    assert type(theirs) is torch.Tensor
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=2.3e-16)
    again = method(layout=layout, axes=axes, seed=5)
    plan = again.plan(values)
    np.testing.assert_array_equal(again.replay(plan, values), ours)


@pytest.mark.parametrize("axes", [None, "spatial", "temporal", "cube"])
def test_videos_of_torchvision_name_their_axes(axes: str | None) -> None:
    """The type says what ``layout`` says for a plain tensor."""
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    values = torch.rand(4, 5, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    typed = CutMix(axes=axes, seed=2)(tv_tensors.Video(values))
    assert type(typed) is tv_tensors.Video
    plain = CutMix(layout="BTCHW", axes=axes, seed=2)(values)
    assert torch.equal(typed.as_subclass(torch.Tensor), plain)


@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_embeddings_with_their_attention_mask(method: Any) -> None:
    """A token is there where any source that is seen has one: united under a blend, pasted under a paste."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 20, 4)
    tokens = np.arange(20) < lengths[:, None]
    values = np.where(tokens[..., None], rng.random((4, 20, 3)) + 1, 0.0)
    for dtype in ("bool", "int64"):
        mix = method(alpha=1.0, layout="BTC", seed=1)
        batch = {"inputs": values, "attention_mask": tokens.astype(dtype), "labels": np.eye(4)}
        out = mix(batch)
        assert out["attention_mask"].dtype == dtype
        np.testing.assert_array_equal(out["attention_mask"] != 0, (out["inputs"] > 0).all(axis=2))


def test_tables_mix_numbers_and_choose_categories() -> None:
    """``BF`` is a table: no region, the share of every source, and categories of the larger one."""
    numbers = np.eye(4, 6)
    mix = MixUp(alpha=1.0, layout="BF", seed=1)
    plan = mix.plan(numbers, np.eye(4))
    table, labels = mix.replay(plan, numbers, np.eye(4))
    assert plan.spec.shape == ()
    np.testing.assert_allclose(table[:, :4], labels, atol=1e-7)
    kinds = {0: Table(categorical=(5,))}
    numbers[:, 5] = [7, 8, 9, 10]
    chosen = MixUp(alpha=1.0, kinds=kinds, seed=1).replay(plan, numbers, np.eye(4))[0][:, 5]
    np.testing.assert_array_equal(chosen, numbers[labels.argmax(axis=1), 5])


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {"layout": "BTCHW"},
            (4, 3, 8, 8),
            r"Another number of axes \(batch\): got shape \(4, 3, 8, 8\); wanted 5 axes",
        ),
        ({"layout": "BCT"}, (4, 3), r"Another number of axes .* because layout='BCT'"),
        (
            {"axes": "T"},
            (4, 3, 8, 8),
            r"No such axis \(batch\): got axes BCHW; wanted axes T, because axes='T'\. Name all",
        ),
        ({"layout": "BCT", "axes": "HW"}, (4, 3, 8), r"No such axis \(batch\): got axes BCT; wanted axes H, W"),
        ({"layout": "BCT", "axes": "cube"}, (4, 3, 8), r"No such axis \(batch\): got axes BCT; wanted axes T, H, W"),
    ],
)
def test_layouts_that_do_not_fit(options: dict[str, Any], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MixUp(**options)(torch.zeros(shape))


@pytest.mark.parametrize(
    "options",
    [
        *({"layout": layout} for layout in ("TBCHW", "BHWX", "BHHW", "B", "", 4)),
        *({"axes": axes} for axes in ("C", "TB", "HH", "", "time", 1)),
    ],
    ids=str,
)
def test_layouts_that_there_are_not(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ParameterError, match=rf"Bad value for '{name}' \(MixUp\): got .*; wanted None, "):
        MixUp(**options)
