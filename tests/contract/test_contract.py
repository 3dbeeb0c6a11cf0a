"""Every registered method keeps the contract at every door, in every form; registering a method is testing it."""

import inspect
from collections.abc import Iterable
from dataclasses import MISSING, fields

import pytest
from checks import FOR_ALL_FORMS, FOR_FLOATS, FOR_SOME_FORMS, assert_all, backends_agree, doors_agree
from doors import DOORS, NEUTRAL, Case, cases, examples, reads_images_alone
from forms import NUMPY_DTYPES, WAYS, WAYS_OF, Form, forms, in_every_way, painted_by
from tiers import some

from mixtransforms.methods.registry import METHODS

pytestmark = pytest.mark.usefixtures("made_up_hints")

SOME_FORMS = (
    Form("numpy", "uint8"), Form("numpy", "float32"), Form("numpy", "float16", "channels_first", "strided"),
    Form("torch", "uint8"), Form("torch", "float32"), Form("torch", "bfloat16", memory="memory_format"),
)  # fmt: skip
FLOAT_FORMS = tuple(
    form
    for backend, dtypes in (("numpy", ("float16", "float32", "float64")), ("torch", ("bfloat16", "float32")))
    for form in forms(backend, dtypes)
)


Row = tuple[Case, Form, str]


def taken(which: Iterable[Case], forms: Iterable[Form]) -> list[Row]:
    """Every case with every form that its door takes, in every way.

    Doors do not paint: what small batches are painted by is tested at the neutral one.
    """
    pairs = [(case, form) for form in forms for case in which if form.backend in case.door.backends]
    return [
        (case, form, way)
        for case, form in pairs
        for way in WAYS_OF[form.backend]
        if way != "batch" or case.door is NEUTRAL
    ]


def parts(row: Row) -> tuple[str, ...]:
    """What may be broken by itself, or two of these together: arithmetic, memory, a method, and what a door makes of it."""
    case, form, way = row
    return str(case.door), case.method, f"{form.backend} {form.dtype}", form.layout, form.memory, way


def together(row: Row) -> tuple[object, ...]:
    """What occurs at least once as a whole: every form in every way, and every configuration at every door."""
    return (str(row[1]), row[2]), (str(row[0].door), row[0].configured)


# Arithmetic depends on the form and the way, plans on the method, the call on the door: what is of the form occurs as a
# whole, and everything else meets everything else in pairs.
@in_every_way("case form", some(taken(cases(), [*forms("numpy"), *forms("torch")]), parts, together))
def test_every_form(case: Case, form: Form) -> None:
    assert_all(FOR_ALL_FORMS, case, form)


@in_every_way("case form", some(taken(cases(first=True), FLOAT_FORMS), parts, together))
def test_floats(case: Case, form: Form) -> None:
    assert_all(FOR_FLOATS, case, form)


@in_every_way("case form", some(taken(cases(), SOME_FORMS), parts, together))
def test_some_forms(case: Case, form: Form) -> None:
    assert_all(FOR_SOME_FORMS, case, form)


AGREEING = [
    (case, form, ways)
    for case in cases(NEUTRAL)
    for form in forms("torch", NUMPY_DTYPES)
    for ways in (("batch", "batch"), ("rows", "tensors"), ("batch", "rows"), ("rows", WAYS[-1]))
]


@pytest.mark.parametrize(
    ("case", "form", "ways"), some(AGREEING, lambda row: parts((*row[:2], str(row[2]))), together), ids=str
)
def test_numpy_and_torch_agree(case: Case, form: Form, ways: tuple[str, str]) -> None:
    with painted_by(*ways):
        backends_agree(case, form)


@pytest.mark.parametrize("method", [*filter(reads_images_alone, METHODS)])
def test_doors_agree(method: str) -> None:
    for options in examples(method):
        doors_agree(method, options, DOORS)


@pytest.mark.parametrize("method", METHODS)
def test_doors_have_the_same_parameters(method: str) -> None:
    parameters = []
    for door in DOORS:
        signature = inspect.signature(getattr(door.load(), method))
        own = {"torchvision": {"labels_getter"}}.get(door.name, set())
        parameters.append([value for value in signature.parameters.values() if value.name not in own])
        assert own <= signature.parameters.keys()
    assert all(other == parameters[0] for other in parameters)
    required = {value.name for value in parameters[0] if value.default is inspect.Parameter.empty}
    # Target options have defaults: what is required is the method's own.
    assert required == {field.name for field in fields(METHODS[method]) if field.default is MISSING}


def test_a_method_has_one_name() -> None:
    from mixtransforms.methods.registry import register

    stranger = type("MixUp", (METHODS["MixUp"],), {"__module__": "somewhere.else"})
    with pytest.raises(
        ValueError, match=r"Two methods are called 'MixUp': mixtransforms\.methods\.mixup and somewhere\.else"
    ):
        register(stranger)
    assert METHODS["MixUp"] is not stranger
