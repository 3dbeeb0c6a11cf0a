"""What bad input gets: a typed error that says what, where, got, wanted and the way out, and the input untouched."""

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from doors import DOORS, NEUTRAL, TORCHVISION, Door
from forms import Form, bits

import mixtransforms
from mixtransforms import InputError, MissingDependencyError, ParameterError, PlanError, UnknownOptionError
from mixtransforms.core.errors import explain, missing, nearest

Batch = dict[str, Any]


def images(form: Form, *shape: int) -> Any:
    values = np.rint(np.random.default_rng(0).random(shape or (4, 8, 8, 3)) * 100)
    return form.build(values)


def ids(form: Form, *values: int) -> Any:
    return form.own(np.array(values or (0, 1, 2, 1)))


@dataclass(frozen=True)
class Bad:
    """A batch that cannot be mixed correctly.

    Attributes:
        batch: Makes it, by name, for a backend.
        what: The parts of the message, as regular expressions.
        where: See ``what``.
        got: See ``what``.
        wanted: See ``what``.
        fix: See ``what``.
        options: Of the transform.
        method: Name of the transform.
    """

    batch: Callable[[Form], Batch]
    what: str
    where: str
    got: str
    wanted: str
    fix: str
    options: Batch = field(default_factory=dict)
    method: str = "MixUp"

    @property
    def message(self) -> str:
        return rf"{self.what} \({self.where}\): got {self.got}; wanted {self.wanted}\. {self.fix}"


BAD: dict[str, Bad] = {
    "unknown array": Bad(
        lambda f: {"images": images(f), "labels": ids(f), "depth": images(f)},
        "An array that is neither known nor declared",
        r"batch\['depth'\]",
        r"\w+ \(4, .*\) .*float32",
        "a known name, a declared kind, or a declared passthrough",
        r"Say what it is with kinds=\{'depth': 'image'\} .* or leave it alone with passthrough=\('depth',\)",
        {"num_classes": 3},
    ),
    "misspelt name": Bad(
        lambda f: {"images": images(f), "lables": ids(f)},
        "An array that is neither known nor declared",
        r"batch\['lables'\]",
        r"\w+ \(4,\) .*int64",
        "a known name, .*",
        r".* Did you mean 'labels'\?",
    ),
    "other backend": Bad(
        lambda f: {"images": images(f), "image": images(Form("torch" if f.backend == "numpy" else "numpy"))},
        "NumPy and torch in one batch",
        r"batch\['image'\]",
        "a (torch tensor|NumPy array)",
        "a (torch tensor|NumPy array), as the images are",
        r"Convert one of them: torch\.from_numpy\(array\) or tensor\.numpy\(\)",
    ),
    "no number of classes": Bad(
        lambda f: {"images": images(f), "labels": ids(f)},
        "The number of classes is not known",
        r"batch\['labels'\]",
        "integer labels without num_classes",
        "num_classes, to turn ids into soft labels",
        r"Give num_classes=\.\.\., or labels='pair' or 'mix', which need none",
    ),
    "ids out of range": Bad(
        lambda f: {"images": images(f), "labels": ids(f, 0, 7, 2, 3)},
        "Class ids out of range",
        r"batch\['labels'\]",
        r"\[3, 7\] at \[1, 3\]",
        "ids from 0 and below num_classes=3",
        "Correct num_classes, or name the id of unlabelled samples with ignore_index",
        {"num_classes": 3},
    ),
    "negative ids": Bad(
        lambda f: {"images": images(f), "labels": ids(f, 0, -1, 2, -1)},
        "Class ids out of range",
        r"batch\['labels'\]",
        r"\[-1\] at \[1, 3\]",
        "ids from 0 and below num_classes=3, or ignore_index=-100",
        "Correct num_classes, or .* ignore_index",
        {"num_classes": 3, "ignore_index": -100},
    ),
    "negative ids of pairs": Bad(
        lambda f: {"images": images(f), "labels": ids(f, 0, -1, 2, 1)},
        "Class ids out of range",
        r"batch\['labels'\]",
        r"\[-1\] at \[1\]",
        "ids from 0",
        "Correct num_classes, or .*",
        {"labels": "pair"},
    ),
    "width of rows": Bad(
        lambda f: {"images": images(f), "labels": f.own(np.eye(4))},
        "Label rows of another width",
        r"batch\['labels'\]",
        r"shape \(4, 4\)",
        r"\(B, 3\), because num_classes=3",
        "Correct num_classes, or leave it out for two-dimensional labels",
        {"num_classes": 3},
    ),
    "rows of ids": Bad(
        lambda f: {"images": images(f), "labels": f.own(np.array([[3, 0], [7, 1], [1, 0], [9, 2]]))},
        "Whole numbers in rows that are not one-hot",
        r"batch\['labels'\]",
        r"shape \(4, 2\), values \[0, 1, 2, 3, 7\]",
        "zeros and ones, one column a class",
        r"Give class ids as \(B,\), shares as floats, or leave attributes alone with passthrough",
    ),
    "label maps": Bad(
        lambda f: {"images": images(f), "labels": f.own(np.zeros((4, 8, 8), int))},
        "Not class labels",
        r"batch\['labels'\]",
        r"shape \(4, 8, 8\) .*int64",
        r"integer ids \(B,\), or one-hot or soft rows \(B, K\)",
        "Give class ids as integers; say what else it is with kinds, such as 'mask', 'regression' or 'multilabel'; or "
        "leave the array alone with passthrough",
        {"num_classes": 3},
    ),
    "one float a sample": Bad(
        lambda f: {"images": images(f), "labels": f.own(np.ones(4))},
        "Not class labels",
        r"batch\['labels'\]",
        r"shape \(4,\) .*float64",
        r"integer ids .*",
        "Give class ids as integers; .* kinds, .*'regression' .*",
        {"num_classes": 3},
    ),
    "sizes of images": Bad(
        lambda f: {"images": images(f), "image": images(f, 4, 8, 9, 3)},
        "Images of different sizes",
        r"batch\['image'\]",
        r"shape \(4, .*9.*\), and a method that pastes",
        r"height and width \(8, 8\), as in batch\['images'\], or these times one number, so that .*",
        r"Resize them alike, or mix them in separate calls, by one plan: plan\.on\(lengths\)\.apply\(images\)",
        method="CutMix",
    ),
    "sizes in a list": Bad(
        lambda f: {"images": [*images(f), images(f, 1, 8, 9, 3)[0]], "labels": ids(f, 0, 1, 2, 0, 1)},
        "Samples of different sizes",
        r"batch\['images'\]",
        r"\(.*9.*\) in sample 4, \(.*\) in sample 0",
        "one shape for all samples of a batch",
        "Resize or crop to one size before mixing, .*",
        {"num_classes": 3},
    ),
    "batch sizes": Bad(
        lambda f: {"images": images(f), "labels": ids(f, 0, 1, 2)},
        "Batch sizes disagree",
        r"batch\['labels'\]",
        "3 values",
        r"4, as in batch\['images'\]",
        "Give one value for every sample",
        {"num_classes": 3},
    ),
    "batch sizes of images": Bad(
        lambda f: {"images": images(f), "image": images(f, 3, 8, 8, 3)},
        "Batch sizes disagree",
        r"batch\['image'\]",
        "3 values",
        r"4, as in batch\['images'\]",
        "Give one value for every sample",
    ),
    "token ids": Bad(
        lambda f: {"images": images(replace_dtype(f, "int64"))},
        "These values cannot be blended",
        r"batch\['images'\]",
        "dtype int64, as of token ids or class ids",
        "floats or int16, uint16, uint8",
        "Convert intensities to one of these, mix the embeddings of ids, or paste with CutMix",
    ),
    "token ids after an image": Bad(
        lambda f: {"images": images(f), "inputs": images(replace_dtype(f, "int64"))},
        "These values cannot be blended",
        r"batch\['inputs'\]",
        "dtype int64, as of .*",
        "floats or .*",
        "Convert .*",
    ),
    "one image": Bad(
        lambda f: {"images": images(f, 1, 20, 20, 3)[0]},
        "Not a batch of images",
        r"batch\['images'\]",
        r"shape \(.*20.*\), which looks like one image",
        r"\(B, C, H, W\) for tensors, \(B, H, W, C\) or \(B, H, W\) for NumPy arrays",
        "Mix batches, after collation",
    ),
    "layout": Bad(
        lambda f: {"images": images(turned(f), 4, 20, 20, 3)},
        "The axes plainly say another layout",
        r"batch\['images'\]",
        r"shape \(4, .*20.*\)",
        r"channels (first|last), \(B, .*\)",
        "Say layout='channels_(last|first)', or move the axes",
    ),
    "no images": Bad(
        lambda f: {"labels": ids(f)},
        "Nothing to mix",
        "batch",
        "dict without images",
        r"a batch of images, as an array, as \(images, labels\), or by name",
        r"Pass images with it, or say which value they are with kinds=\{\.\.\.: 'image'\}",
        {"num_classes": 3},
    ),
    "no labels to pair by": Bad(
        lambda f: {"images": images(f)},
        "pairing='same_class' reads class labels",
        "pairing",
        "a batch without class labels",
        "one class id a sample",
        "Pass the labels with the images, or choose a pairing that needs none, such as 'cycle'",
        {"pairing": "same_class"},
    ),
}


def turned(form: Form) -> Form:
    return Form(form.backend, layout="channels_last" if form.backend == "torch" else "channels_first")


def replace_dtype(form: Form, dtype: str) -> Form:
    return Form(form.backend, dtype, form.layout)


def snapshot(batch: Batch) -> list[bytes]:
    return [bits(item) for value in batch.values() for item in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("inplace", [False, True], ids=["copy", "inplace"])
@pytest.mark.parametrize(("door", "backend"), [(door, b) for door in DOORS for b in door.backends], ids=str)
@pytest.mark.parametrize("name", BAD)
def test_bad_batches(name: str, door: Door, backend: str, inplace: bool) -> None:
    bad = BAD[name]
    batch = bad.batch(Form(backend))
    before = snapshot(batch)
    transform = door.transform(bad.method, **{"alpha": 1.0, "inplace": inplace, **bad.options})
    with pytest.raises(InputError, match=bad.message):
        transform(**batch)
    assert snapshot(batch) == before


@pytest.mark.parametrize("name", ["unknown array", "no number of classes", "ids out of range", "batch sizes", "layout"])
def test_bad_batches_get_no_plan_either(name: str) -> None:
    bad = BAD[name]
    transform = mixtransforms.MixUp(**bad.options)
    with pytest.raises(InputError, match=bad.message):
        transform.plan(bad.batch(Form("numpy")))
    with pytest.raises(InputError, match=bad.message):
        transform.trace(bad.batch(Form("numpy")))


@pytest.mark.parametrize("door", [NEUTRAL, TORCHVISION], ids=str)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_masks_of_another_backend(backend: str, door: Door) -> None:
    """Their axes may lie otherwise; labels are converted."""
    form, other = Form(backend), Form("torch" if backend == "numpy" else "numpy")
    got, wanted = ("a torch tensor", "a NumPy array") if backend == "numpy" else ("a NumPy array", "a torch tensor")
    masks = images(other)[:, 0] if other.backend == "torch" else images(other)[..., 0]
    with pytest.raises(
        InputError,
        match=rf"NumPy and torch in one batch \(batch\['mask'\]\): got {got}; wanted {wanted}, as the images are\. Conv",
    ):
        door.transform("CutMix")({"image": images(form), "mask": masks})


def test_samples_that_do_not_fit() -> None:
    form = Form("numpy")
    one, wide = images(form)[0], images(form, 4, 8, 9, 3)[0]
    for samples, message in (
        ([(one, 0), (wide, 1)], r"Samples of different sizes \(batch\[0\]\): got \(8, 9, 3\) in sample 1, \(8"),
        (
            [{"image": one, "label": 0}, {"image": one}],
            r"different structure \(batch\): got sample 1 of type dict",
        ),
        ([(one, 0), (one,)], r"different structure .* as sample 0\. Return the same"),
        (
            [(one, 0), (images(Form("torch"))[0].movedim(0, -1), 1)],
            r"different backends \(batch\[0\]\): got numpy",
        ),
    ):
        with pytest.raises(InputError, match=message):
            mixtransforms.MixUp(num_classes=3)(samples)


def read_only() -> Any:
    array = images(Form("numpy"))
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (read_only, "a read-only array"),
        (lambda: np.broadcast_to(images(Form("numpy"))[:1], (4, 8, 8, 3)), "a read-only array"),
        (lambda: images(Form("torch")).requires_grad_(), "a leaf tensor that requires grad"),
        (
            lambda: images(Form("torch"))[:1].expand(4, 3, 8, 8),
            "an array whose cells share memory, as those of windows and of expanded tensors do",
        ),
    ],
)
def test_what_cannot_be_overwritten(make: Callable[[], Any], got: str) -> None:
    batch = make()
    before = bits(batch)
    with pytest.raises(
        InputError, match=rf"Cannot be overwritten \(batch\): got {got}; wanted memory of its own\. Use inplace=False"
    ):
        mixtransforms.MixUp(inplace=True)(batch)
    assert bits(batch) == before
    assert mixtransforms.MixUp()(batch).shape == batch.shape


def test_a_second_image_that_cannot_be_overwritten_leaves_the_first() -> None:
    first, second = images(Form("numpy")), read_only()
    before = bits(first)
    with pytest.raises(InputError, match=r"Cannot be overwritten \(batch\['img'\]\)"):
        mixtransforms.MixUp(alpha=1.0, inplace=True)({"image": first, "img": second})
    assert bits(first) == before


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -0.2}, r"Bad value for 'alpha' \(MixUp\): got -0\.2; wanted 0 or a number within \[1e-06, 1e\+06\]"),
        ({"alpha": float("nan")}, r"Bad value for 'alpha' \(MixUp\): got nan; wanted 0 or a number within"),
        ({"alpha": float("inf")}, r"Bad value for 'alpha' \(MixUp\): got inf; wanted 0 or a number within"),
        (
            {"p": 1.5},
            r"Bad value for 'p' \(MixUp\): got 1\.5; wanted a number within \[0, 1\], or a schedule of such numbers\. Chance that a sample",
        ),
        ({"p": -0.1}, r"Bad value for 'p' \(MixUp\): got -0\.1; wanted a number within \[0, 1\]"),
        ({"num_classes": 0}, r"'num_classes' \(MixUp\): got 0; wanted None or a whole number within \[1, "),
        ({"num_classes": 10.0}, r"'num_classes' \(MixUp\): got 10\.0"),
        ({"num_classes": True}, r"'num_classes' \(MixUp\): got True"),
        ({"labels": "hard"}, r"'labels' \(MixUp\): got 'hard'; wanted one of 'soft', 'pair'"),
        ({"ignore_index": 0.5}, r"'ignore_index' \(MixUp\): got 0\.5; wanted None or a whole number"),
        (
            {"layout": "HWC"},
            r"'layout' \(MixUp\): got 'HWC'; wanted None, 'channels_first', 'channels_last' or named axes such as",
        ),
        (
            {"kinds": {"x": "picture"}},
            r"'kinds' \(MixUp\): got \{'x': 'picture'\}; wanted None or a dict .*'image', .* objects such as Label",
        ),
        ({"kinds": "image"}, r"'kinds' \(MixUp\): got 'image'"),
        ({"passthrough": 1.5}, r"'passthrough' \(MixUp\): got 1\.5; wanted names, positions or dotted paths"),
        ({"passthrough": (True,)}, r"'passthrough' \(MixUp\): got \(True,\)"),
        ({"keep_originals": 1}, r"'keep_originals' \(MixUp\): got 1; wanted True or False"),
        ({"seed": -1}, r"'seed' \(MixUp\): got -1; wanted None or a whole number within \[0, 18446744073709551615\]"),
        ({"seed": 0.5}, r"'seed' \(MixUp\): got 0\.5"),
        ({"keep_originals": True, "inplace": True}, r"would overwrite the originals to keep \(MixUp\): .* one of"),
    ],
    ids=str,
)
def test_bad_parameters(door: Door, options: Batch, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        door.transform("MixUp", **options)


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize(
    ("method", "option", "near"),
    [
        ("MixUp", "alhpa", "alpha"), ("MixUp", "num_class", "num_classes"), ("CutMix", "correct_lam", "correct_weight"),
        ("CutMix", "placment", "placement"), ("OneOf", "weight", "weights"), ("MixUp", "nothing_like_it", None),
    ],
)  # fmt: skip
def test_unknown_options(door: Door, method: str, option: str, near: str | None) -> None:
    hint = rf" Did you mean '{near}'\?" if near else ""
    with pytest.raises(
        UnknownOptionError, match=rf"^{method} has no option '{option}'\.{hint} Options: \w+, .*num_classes"
    ):
        door.transform(method, **{option: 1})


def test_an_option_of_another_method() -> None:
    with pytest.raises(UnknownOptionError, match=r"MixUp has no option 'placement'"):
        mixtransforms.MixUp(placement="inside")


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_childs_options_must_agree(door: Door) -> None:
    with pytest.raises(
        ParameterError,
        match=r"A child's 'num_classes' differs \(OneOf\): got num_classes=3 in MixUp, None outside; wanted",
    ):
        door.transform("OneOf", transforms=[door.transform("MixUp", num_classes=3), door.transform("CutMix")])
    for option, value in (
        ("labels", "pair"),
        ("ignore_index", -1),
        ("seed", 4),
        ("kinds", {"a": "image"}),
        ("inplace", True),
    ):
        children = [door.transform("MixUp", **{option: value}), door.transform("CutMix")]
        with pytest.raises(ParameterError, match=rf"A child's '{option}' differs"):
            door.transform("OneOf", transforms=children)
        door.transform("OneOf", transforms=[door.transform("MixUp", **{option: value})], **{option: value})


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_plan_for_another_batch(door: Door) -> None:
    form = Form("torch")
    transform = door.transform("MixUp")
    plan = transform.plan(images=images(form))
    for other, got in (
        (images(form, 3, 8, 8, 3), r"3 samples of \(8, 8\)"),
        (images(form, 4, 8, 9, 3), r"4 samples of \(8, 9\)"),
    ):
        with pytest.raises(
            PlanError, match=rf"The plan is for another batch \(MixUp\): got {got}; wanted 4 samples of \(8, 8\)\. Draw"
        ):
            transform.replay(plan, images=other)


def test_the_shape_of_a_message() -> None:
    assert explain("What", where="here", got=3, wanted="4", fix="Do.") == "What (here): got 3; wanted 4. Do."
    assert nearest("alhpa", ["alpha", "beta"]) == " Did you mean 'alpha'?"
    assert nearest("xyz", ["alpha", "beta"]) == ""


def test_a_missing_package_comes_with_its_command() -> None:
    error = missing("albumentations", "albumentations", "mixtransforms.albumentations")
    assert type(error) is MissingDependencyError
    assert isinstance(error, ImportError)
    assert str(error) == (
        "mixtransforms.albumentations needs albumentations, which is not installed. "
        'Install it with: python -m pip install "albumentations>=2.0.8,<2.1"'
    )


ERRORS = ("ConfigError", "InputError", "MissingDependencyError", "ParameterError", "PlanError", "UnknownOptionError")


@pytest.mark.parametrize("name", ERRORS)
def test_errors_pickle(name: str) -> None:
    error = pickle.loads(pickle.dumps(getattr(mixtransforms, name)("what (where): got 1; wanted 2. Do.")))
    assert type(error).__name__ == name
    assert str(error) == "what (where): got 1; wanted 2. Do."


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("ConfigError", ValueError), ("InputError", ValueError), ("MissingDependencyError", ImportError),
        ("ParameterError", ValueError), ("PlanError", ValueError), ("UnknownOptionError", TypeError),
    ],
)  # fmt: skip
def test_errors_are_what_plain_python_would_raise(name: str, base: type) -> None:
    assert issubclass(getattr(mixtransforms, name), base)


class Samples:
    """A dataset whose last sample has another size."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import torch

        return torch.zeros(3, 8, 9 if index == 3 else 8), index


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_errors_come_out_of_a_worker_as_they_are() -> None:
    data = pytest.importorskip("torch.utils.data", reason="torch is not installed")
    for collate, message in (
        (mixtransforms.MixUp(num_classes=4), r"Samples of different sizes \(batch\[0\]\): got \(3, 8, 9\) in sample 3"),
        (mixtransforms.MixUp(), r"Samples of different sizes"),
    ):
        loader = data.DataLoader(Samples(), batch_size=4, num_workers=1, collate_fn=collate)
        with pytest.raises(InputError, match=rf"(?s)Caught InputError in DataLoader worker process 0.*{message}"):
            next(iter(loader))
    loader = data.DataLoader(Samples(), batch_size=3, num_workers=1, collate_fn=mixtransforms.MixUp())
    with pytest.raises(InputError, match=r"(?s)The number of classes is not known \(batch\[1\]\)"):
        next(iter(loader))


def test_every_part_is_there() -> None:
    """The table above leaves nothing out: what, where, got, wanted, and a way out that ends a sentence."""
    shape = re.compile(r".+ \\?\(.+\\?\): got .+; wanted .+\\?\. .+")
    assert all(shape.fullmatch(bad.message) for bad in BAD.values())
