"""Every registered method keeps the contract at every door, in every form; registering a method is testing it."""

import inspect
from collections.abc import Iterable

import pytest
from checks import FOR_ALL_FORMS, FOR_FLOATS, FOR_SOME_FORMS, Check, backends_agree, doors_agree
from doors import DOORS, NEUTRAL, Case, cases, examples
from forms import NUMPY_DTYPES, Form, forms, painted_by

from mixtransforms.methods.registry import METHODS

SOME_FORMS = (
    Form("numpy", "uint8"), Form("numpy", "float32"), Form("numpy", "float16", "channels_first", "strided"),
    Form("torch", "uint8"), Form("torch", "float32"), Form("torch", "bfloat16", memory="memory_format"),
)  # fmt: skip
FLOAT_FORMS = tuple(
    form
    for backend, dtypes in (("numpy", ("float16", "float32", "float64")), ("torch", ("bfloat16", "float32")))
    for form in forms(backend, dtypes)
)


def name(check: Check) -> str:
    return check.__name__


def taken(some: Iterable[Case], which: Iterable[Form]) -> pytest.MarkDecorator:
    """Every case with every form that its door takes."""
    pairs = [(case, form) for form in which for case in some if form.backend in case.door.backends]
    return pytest.mark.parametrize(("case", "form"), pairs, ids=[f"{case}-{form}" for case, form in pairs])


@pytest.mark.usefixtures("way")
@taken(cases(), [*forms("numpy"), *forms("torch")])
def test_every_form(case: Case, form: Form) -> None:
    for check in FOR_ALL_FORMS:
        check(case, form)


@pytest.mark.usefixtures("way")
@taken(cases(first=True), FLOAT_FORMS)
@pytest.mark.parametrize("check", FOR_FLOATS, ids=name)
def test_floats(check: Check, case: Case, form: Form) -> None:
    check(case, form)


@pytest.mark.usefixtures("way")
@taken(cases(), SOME_FORMS)
@pytest.mark.parametrize("check", FOR_SOME_FORMS, ids=name)
def test_some_forms(check: Check, case: Case, form: Form) -> None:
    check(case, form)


@taken(cases(NEUTRAL), forms("torch", NUMPY_DTYPES))
@pytest.mark.parametrize(("numpy", "torch"), [("batch", "batch"), ("rows", "tensors"), ("batch", "rows")])
def test_numpy_and_torch_agree(numpy: str, torch: str, case: Case, form: Form) -> None:
    with painted_by(numpy, torch):
        backends_agree(case, form)


@pytest.mark.parametrize("method", METHODS)
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
    required = [value.name for value in parameters[0] if value.default is inspect.Parameter.empty]
    assert required == (["transforms"] if method == "OneOf" else [])


def test_a_method_has_one_name() -> None:
    from mixtransforms.methods.registry import register

    stranger = type("MixUp", (METHODS["MixUp"],), {"__module__": "somewhere.else"})
    with pytest.raises(
        ValueError, match=r"Two methods are called 'MixUp': mixtransforms\.methods\.mixup and somewhere\.else"
    ):
        register(stranger)
    assert METHODS["MixUp"] is not stranger
