"""Boxes and keypoints that come as whole numbers: computed with as floats, and rounded once, if at all."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, InputError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp

STILL = MixUp(1.0, p=0.0)
FORMS = {
    "lists": lambda rows: rows,
    "numpy": lambda rows: np.array(rows),
    "int32": lambda rows: torch.tensor(rows, dtype=torch.int32),
    "tuples": lambda rows: [tuple(row) for row in rows],
    "arrays in lists": lambda rows: [np.array(row) for row in rows],
}


def told(rows: Any, steps: list[Any], size: int, name: str = "boxes", mix: Any = STILL) -> Any:
    """What becomes of the boxes or keypoints of a picture without content."""
    labels = {"labels": [1] * len(rows)} if name == "boxes" else {}
    sample = torch.zeros(3, size, size), {name: rows, **labels}
    return BatchCompose([*steps, *([mix] if mix else [])], seed=0)([sample] * 2)[1][0][name]


def stock(rows: Any, steps: list[Any], size: int, name: str = "boxes", form: str = "XYXY") -> Any:
    """The same by the host alone, of floats."""
    values = torch.tensor(rows, dtype=torch.float64)
    typed = (
        tv_tensors.BoundingBoxes(values, format=form, canvas_size=(size, size))
        if name == "boxes"
        else tv_tensors.KeyPoints(values, canvas_size=(size, size))
    )
    return v2.Compose(steps)(tv_tensors.Image(torch.zeros(3, size, size)), typed)[1].as_subclass(torch.Tensor).numpy()


TURNED = [v2.RandomRotation((30, 30))]
CASES = {
    "resized": ("boxes", [[1, 1, 4, 4]], [v2.Resize((5, 5))], 8, [[0.625, 0.625, 2.5, 2.5]]),
    "there and back": ("boxes", [[2, 3, 9, 8]], [v2.Resize((7, 7)), v2.Resize((10, 10))], 10, [[2, 3, 9, 8]]),
    "turned": ("boxes", [[1, 1, 4, 4]], TURNED, 8, None),
    "points": ("keypoints", [[1, 1], [6, 7]], [v2.Resize((5, 5))], 8, [[0.625, 0.625], [3.75, 4.375]]),
}


@pytest.mark.parametrize("mix", [STILL, CutMix(p=0.0), None], ids=["MixUp", "CutMix", "no mix"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_floats_until_the_end(case: str, form: str, mix: Any) -> None:
    """Lists come back as floats, arrays rounded once, half to even."""
    name, rows, steps, size, wanted = CASES[case]
    given = FORMS[form](rows)
    exact = stock(rows, steps, size, name)
    if wanted is not None:
        np.testing.assert_allclose(exact, wanted, atol=1e-6)
    found = told(given, steps, size, name, mix)
    if isinstance(given, list):
        np.testing.assert_allclose(np.array(found, np.float64), exact, rtol=0, atol=1e-6)
        assert all(type(number) is float for row in found for number in row)
    else:
        assert type(found) is type(given)
        assert found.dtype == given.dtype
        assert np.array_equal(np.asarray(found), np.rint(exact))


@pytest.mark.parametrize("form", ["coco", "xywh", "cxcywh"])
def test_other_formats(form: str) -> None:
    """Those that the host has not, as well."""
    mix = MixUp(1.0, p=0.0, boxes=BoxRules(format=form))
    exact = stock([[2, 3, 7, 5]], [v2.Resize((5, 5))], 10, form={"coco": "XYWH"}.get(form, form.upper()))
    np.testing.assert_allclose(told([[2, 3, 7, 5]], [v2.Resize((5, 5))], 10, mix=mix), exact, atol=1e-6)
    assert np.array_equal(told(np.array([[2, 3, 7, 5]]), [v2.Resize((5, 5))], 10, mix=mix), np.rint(exact))


def test_columns_behind_boxes_and_visibility_stay() -> None:
    assert told([[1, 1, 4, 4, 7]], [v2.Resize((5, 5))], 8) == [[0.625, 0.625, 2.5, 2.5, 7.0]]
    points = np.array([[[1, 1, 2], [6, 7, 1]]])
    sample = torch.zeros(3, 8, 8), {"boxes": np.array([[0, 0, 8, 8]]), "keypoints": points}
    out = BatchCompose([v2.Resize((5, 5)), STILL])([sample] * 2)[1][0]["keypoints"]
    assert out.tolist() == [[[1, 1, 2], [4, 4, 1]]]
    assert out.dtype == points.dtype


@pytest.mark.parametrize("ready", [False, True], ids=["samples", "batch"])
@pytest.mark.parametrize("form", ["numpy", "int32"])
def test_nothing_is_rounded_between_stages(form: str, ready: bool) -> None:
    """Host, mix, host: to 7 pixels and back to 10 is where it was."""
    given = FORMS[form]([[2, 3, 9, 8]])
    steps = [v2.Resize((7, 7)), STILL, v2.Resize((10, 10))]
    samples = [(torch.zeros(3, 10, 10), {"boxes": given, "labels": [1]})] * 2
    batch = (torch.zeros(2, 3, 10, 10), [target for _, target in samples])
    out = BatchCompose(steps)(batch if ready else samples)[1][0]["boxes"]
    assert type(out) is type(given)
    assert out.dtype == given.dtype
    assert np.array_equal(np.asarray(out), [[2, 3, 9, 8]])


def test_images_without_objects_and_of_other_dtypes() -> None:
    """Empty arrays do not decide, and what floats say is not rounded."""
    whole, floats = torch.tensor([[2, 3, 9, 8]]), torch.tensor([[2.5, 3, 9, 8]])
    steps = [v2.Resize((7, 7)), STILL, v2.Resize((10, 10))]

    def run(*rows: Any, steps: list[Any] = steps) -> list[Any]:
        given = [(torch.zeros(3, 10, 10), {"boxes": each, "labels": torch.ones(len(each))}) for each in rows]
        return [target["boxes"] for target in BatchCompose(steps)(given)[1]]

    out = run(torch.zeros(0, 4), whole)
    assert [each.dtype for each in out] == [torch.int64] * 2
    assert out[1].tolist() == [[2, 3, 9, 8]]
    out = run(whole, floats)
    assert [each.dtype for each in out] == [torch.float32] * 2
    torch.testing.assert_close(out[1], floats)
    out = run(torch.zeros(0, 4, dtype=torch.int64), torch.zeros(0, 4, dtype=torch.int64))
    assert [each.shape for each in out] == [(0, 4)] * 2
    out = run(whole, floats, steps=[v2.Resize((7, 7))])
    assert [each.dtype for each in out] == [torch.int64, torch.float32]


def test_what_a_user_has_typed_is_the_hosts_own_affair() -> None:
    typed = tv_tensors.BoundingBoxes(torch.tensor([[1, 1, 4, 4]]), format="XYXY", canvas_size=(8, 8))
    out = told(typed, [v2.Resize((5, 5))], 8)
    own = v2.Resize((5, 5))(tv_tensors.Image(torch.zeros(3, 8, 8)), typed)[1]
    assert out.dtype == torch.int64
    assert torch.equal(out, own)


def test_numbers_that_do_not_fit_are_refused() -> None:
    """An unsigned number would turn around where a crop moves a box out of the picture."""
    rows = np.array([[100, 100, 200, 200]], np.uint8)
    with pytest.raises(
        InputError, match=r"their dtype does not hold \(batch\[1\]\['boxes'\]\): got uint8, .*to 400.* int64 or float32"
    ):
        told(rows, [v2.Resize((512, 512))], 256)
    assert told(rows.astype(np.int64), [v2.Resize((512, 512))], 256).tolist() == [[200, 200, 400, 400]]


def test_many_boxes_are_where_the_floats_are() -> None:
    """Boxes of 12 to 29 pixels on 640, to 320 and to 224: the list of whole numbers is the list of floats."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 600, (500, 2))
    rows = np.concatenate([start, start + rng.integers(12, 30, (500, 2))], axis=1).tolist()
    steps = [v2.Resize((320, 320)), v2.Resize((224, 224))]
    np.testing.assert_allclose(told(rows, steps, 640), stock(rows, steps, 640), atol=1e-4)
