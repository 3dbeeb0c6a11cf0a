"""The JSON Schema of pipeline files against an independent validator: it accepts and refuses what reading does."""

import contextlib
import functools
import importlib
import itertools
import json
import re
import warnings
from pathlib import Path

import doors
import jsonschema
import pytest
import tiers
from host_cases import DEPRECATED, EVERY, HOSTS, built
from hypothesis import given
from hypothesis import strategies as st

import mixtransforms
from mixtransforms.files.registry import installed_codecs
from mixtransforms.files.schema import _CHECKS, TELLING, fits, in_words, misfit
from mixtransforms.methods.registry import METHODS

pytestmark = DEPRECATED

RELEASED = Path(__file__).parent / "released"

NAMES = ("torchvision", "albumentations", "neutral")

NEUTRAL = {
    "MixUp": lambda: mixtransforms.MixUp(0.5, num_classes=3, labels="pair"),
    "CutMix": lambda: mixtransforms.CutMix(placement="minmax", minmax=(0.25, 0.5), layout="channels_last"),
    "OneOf": lambda: mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.CutMix()], weights=[0.25, 0.5], seed=1),
    "options": lambda: mixtransforms.MixUp(
        kinds={"a.b": "image", "seg": mixtransforms.SemanticMask(num_classes=3)},
        boxes=mixtransforms.BoxRules(min_visibility=0.5),
        axes="spatial",
        passthrough=("id", 3),
    ),
}


@functools.cache
def validator():
    return jsonschema.Draft202012Validator(mixtransforms.json_schema())


def needs(host):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")


def file(host, node):
    return {"format": "mixtransforms/pipeline", "format_version": 2, "host": host, "pipeline": node}


def subschemas(schema):
    """A schema and all schemas in it."""
    yield schema
    if isinstance(schema, bool):
        return
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            inner = list(value.values())
        elif key in ("anyOf", "allOf"):
            inner = value
        elif key in ("items", "additionalProperties", "if", "then", "not"):
            inner = [value]
        else:
            inner = []
        for part in inner:
            yield from subschemas(part)


# The schema itself.


def test_it_is_a_schema_of_its_draft():
    schema = mixtransforms.json_schema()
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_every_reference_resolves_and_every_definition_is_referred_to():
    schema = mixtransforms.json_schema()
    found = {part["$ref"] for part in subschemas(schema) if isinstance(part, dict) and "$ref" in part}
    assert all(ref.startswith("#/$defs/") for ref in found)
    names = {ref.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~") for ref in found}
    assert names == set(schema["$defs"])
    assert "neutral/mixtransforms.OneOf" in names
    assert "methods/mixtransforms.MixUp" in names


STRUCTURE = {"$schema", "$defs", "$ref", "allOf", "if", "then"}


def test_every_keyword_is_known_to_the_reader():
    used = {key for part in subschemas(mixtransforms.json_schema()) if isinstance(part, dict) for key in part}
    known = set(_CHECKS) | TELLING
    assert used - known == STRUCTURE
    for codec in installed_codecs().values():
        for entry in codec.entries.values():
            for argument in entry.arguments.values():
                for part in subschemas(argument.schema):
                    assert isinstance(part, bool) or part.keys() <= known


def test_all_fixed_values_are_plain():
    """The reader compares them as Python does, which for lists of booleans would not be as the standard says."""
    for part in subschemas(mixtransforms.json_schema()):
        options = (
            [] if isinstance(part, bool) else [*part.get("enum", []), *([part["const"]] if "const" in part else [])]
        )
        assert not any(isinstance(option, (list, dict)) for option in options)


def test_own_classes_are_in_the_schema_where_they_are_allowed():
    pytest.importorskip("torchvision")
    import torch

    class Noise(torch.nn.Module):
        def __init__(self, level: float = 0.5) -> None:
            super().__init__()
            self.level = level

    own = jsonschema.Draft202012Validator(mixtransforms.json_schema(allow=[Noise]))
    good = file("torchvision", {"type": "custom.Noise", "args": {"level": 1}})
    assert own.is_valid(good)
    assert not validator().is_valid(good)
    assert not own.is_valid(file("torchvision", {"type": "custom.Noise", "args": {"levle": 1}}))
    assert not own.is_valid(file("albumentations", {"type": "custom.Noise"}))


# What it accepts.


def written(host, case):
    try:
        return mixtransforms.to_dict(built(host, case))
    except mixtransforms.ConfigError:
        pytest.skip("is not written at all, of which its own test complains")


@pytest.mark.parametrize(("host", "case"), EVERY)
def test_what_is_written_validates(host, case):
    validator().validate(written(host, case) | {"notes": {"any": ["thing", 1]}})


@pytest.mark.parametrize("case", NEUTRAL)
def test_what_is_written_of_neutral_pipelines_validates(case):
    data = mixtransforms.to_dict(NEUTRAL[case]())
    validator().validate(data)
    assert mixtransforms.to_dict(mixtransforms.from_dict(data)) == data


@pytest.mark.parametrize("name", NAMES)
def test_released_files_of_this_format_validate(name):
    needs(name)
    validator().validate(json.loads((RELEASED / "format-2" / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": 1},
        {"format_version": True},
        {"host": "keras"},
        {"written_with": {"torch": 2}},
        {"written_with": []},
        {"$schema": 3},
        {"pipeline": []},
        {"pipeline": {}},
        {"pipeline": {"type": 3}},
        {"pipeline": {"type": "torchvision.Nothing"}},
        {"pipeline": {"type": "mixtransforms.MixUp", "children": []}},
        {"pipeline": {"type": "mixtransforms.MixUp", "more": 1}},
        {"pipeline": {"type": "mixtransforms.MixUp", "args": []}},
        {"pipeline": {"type": "mixtransforms.OneOf", "children": {}}},
        {"pipeline": {"type": "mixtransforms.OneOf", "children": [3]}},
        {"pipeline": {"type": "mixtransforms.OneOf", "children": [{"type": "mixtransforms.BatchCompose"}]}},
        {
            "pipeline": {
                "type": "mixtransforms.OneOf",
                "children": [{"type": "mixtransforms.MixUp", "args": {"seed": 1}}],
            }
        },
        {"more": 1},
    ],
    ids=json.dumps,
)
def test_what_reading_refuses_around_arguments_is_refused(change):
    good = file("neutral", {"type": "mixtransforms.MixUp"})
    validator().validate(good)
    assert not validator().is_valid(good | change)
    if change != {"format_version": 1}:  # which reading migrates, and editors do not
        with pytest.raises(mixtransforms.ConfigError):
            mixtransforms.from_dict(good | change)


# What it refuses of every type: one node of each, taken from what the cases write.


def nodes_in(node, host, parent=None):
    yield ("methods" if parent == "mixtransforms.OneOf" else host, node["type"]), node
    for child in node.get("children", []):
        yield from nodes_in(child, host, node["type"])


@functools.cache
def examples(host):
    """A node of every type that stands at the top of a pipeline of a host, and of those in a choice of ours."""
    plain = [(name, doors.examples(name)[0]) for name in METHODS if name != "OneOf"]
    own = [*NEUTRAL.values(), *(functools.partial(getattr(mixtransforms, name), **given) for name, given in plain)]
    if host != "neutral":
        door = importlib.import_module(f"mixtransforms.{host}")
        mixes = [getattr(door, name)(**given) for name, given in plain]
        flip = importlib.import_module("albumentations").HorizontalFlip if host == "albumentations" else None
        flip = flip or importlib.import_module("torchvision.transforms.v2").RandomHorizontalFlip
        stages = [door.Otherwise([flip()]), door.PerBatch([flip()])]
        own = [lambda: door.OneOf(mixes), lambda: door.BatchCompose([*mixes, *stages])]
        own += [functools.partial(built, host, case) for case in HOSTS[host].CASES]
    each = [getattr(mixtransforms, name)(**given) for name, given in plain]
    method = mixtransforms.OneOf([*each, mixtransforms.OneOf([mixtransforms.CutMix()], p=0.5)])
    texts = [mixtransforms.to_dict(method)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for make in own:
            with contextlib.suppress(mixtransforms.ConfigError):  # of which its own test complains
                texts.append(mixtransforms.to_dict(make()))
    found = {}
    for data in texts:
        for key, node in nodes_in(data["pipeline"], host):
            found.setdefault(key, node)
    return found


def entries(host):
    """Every type of a host with a node that is right, and the places where it may stand."""
    codec = installed_codecs()[host]
    outer = {
        "torchvision": ("mixtransforms.BatchCompose", "torchvision.RandomApply"),
        "albumentations": ("mixtransforms.BatchCompose", "albumentations.OneOf"),
    }.get(host, ())
    for name, entry in codec.entries.items():
        node = examples(host)[host, name]
        yield entry, node, lambda inner: inner, "$.pipeline"
        if name == "mixtransforms.BatchCompose":
            continue
        for container in outer:
            yield entry, node, functools.partial(inside, container), "$.pipeline.children[1]"
    methods = codec.inside(codec.entries["mixtransforms.OneOf"])
    for name, entry in methods.entries.items():
        node = examples(host)["methods", name]
        yield entry, node, functools.partial(inside, "mixtransforms.OneOf"), "$.pipeline.children[1]"


def inside(container, node):
    return {"type": container, "children": [{"type": "mixtransforms.MixUp"}, node]}


def refused_by_both(host, node, place):
    data = file(host, node)
    assert not validator().is_valid(data), node
    with pytest.raises(mixtransforms.ConfigError, match=re.escape(f"({place}")):
        mixtransforms.from_dict(data)


@pytest.mark.parametrize("host", NAMES)
def test_every_type_has_an_example_that_validates(host):
    needs(host)
    count = 0
    for entry, node, put, _ in entries(host):
        assert node["type"] == entry.name
        assert set(node["args"]) <= set(entry.arguments)
        validator().validate(file(host, put(node)))
        count += 1
    assert count >= {"torchvision": 190, "albumentations": 300, "neutral": 5}[host]


@pytest.mark.parametrize("host", NAMES)
def test_an_unknown_argument_of_any_type_is_refused(host):
    needs(host)
    for _, node, put, place in entries(host):
        refused_by_both(
            host, put(node | {"args": node["args"] | {"an_unknown_one": 1}}), f"{place}.args.an_unknown_one)"
        )


@pytest.mark.parametrize("host", NAMES)
def test_a_missing_argument_of_any_type_is_refused(host):
    needs(host)
    count = 0
    for entry, node, put, place in entries(host):
        needed = [name for name, argument in entry.arguments.items() if argument.required]
        for name in needed:
            rest = {key: value for key, value in node["args"].items() if key != name}
            refused_by_both(host, put(node | {"args": rest}), f"{place}.args.{name})")
            count += 1
        if needed:
            bare = {"type": node["type"]} | ({"children": node["children"]} if "children" in node else {})
            refused_by_both(host, put(bare), f"{place}.args.{needed[0]})")
    assert count > 20 or host == "neutral"


WRONG = ({"wrong": [1]}, "a wrong one", [[["wrong"]]], [{}], True, 0.123, -7, None)


@pytest.mark.parametrize("host", NAMES)
def test_a_value_of_a_wrong_type_is_refused_for_every_argument(host):
    needs(host)
    open_ones = set()
    # Every third type here, which is slow; all of them in the other tier.
    for entry, node, put, place in itertools.islice(entries(host), 0, None, 1 if tiers.everything else 3):
        for name, argument in entry.arguments.items():
            judge = jsonschema.Draft202012Validator(argument.schema)
            wrong = [value for value in WRONG if not judge.is_valid(value)]
            if not wrong:
                open_ones.add(f"{entry.name}.{name}")
            for value in wrong[: 2 if tiers.everything else 1]:
                refused_by_both(host, put(node | {"args": node["args"] | {name: value}}), f"{place}.args.{name}")
    assert open_ones == set()


# By hand, since the schema and the reader look their bounds up in one table.

BOUNDED = [
    ("MixUp", "p", [0, 0.0, 0.5, 1, 1.0], [-1e-9, 1.0000001, 1.5, 2, True, "1", None]),
    ("CutMix", "p", [0, 1], [-1, 2]),
    ("OneOf", "p", [0, 1], [-1, 2]),
    ("MixUp", "alpha", [0, 1e-6, 0.2, 1, 1e6], [-1, 5e-7, 1.1e6, True, "1", None]),
    ("MixUp", "num_classes", [None, 1, 2**31 - 1], [0, -1, 2**31, 1.5, True]),
    ("MixUp", "ignore_index", [None, 0, -(2**31), 2**31 - 1], [-(2**31) - 1, 2**31, 0.5, False]),
    ("MixUp", "seed", [None, 0, 2**64 - 1], [-1, 2**64, 0.5, False]),
    ("OneOf", "weights", [None, [0, 1], [0.25, 0.5]], [[-0.5, 0.5], [0.5, 1.5], [], [None, 1], 1]),
    ("MixUp", "per", ["sample", "pair", "batch"], ["sampel", None, 1]),
    ("OneOf", "per", ["sample", "batch"], ["pair", None]),
]


@pytest.mark.parametrize(("name", "argument", "right", "wrong"), BOUNDED, ids=[f"{row[0]}.{row[1]}" for row in BOUNDED])
def test_bounds_of_ours(name, argument, right, wrong):
    node = examples("neutral")["neutral", f"mixtransforms.{name}"]
    children = (
        {"children": [{"type": "mixtransforms.MixUp"}, {"type": "mixtransforms.CutMix"}]} if name == "OneOf" else {}
    )
    for value in right:
        data = file("neutral", {"type": node["type"], "args": {argument: value}} | children)
        validator().validate(data)
        assert mixtransforms.to_dict(mixtransforms.from_dict(data))["pipeline"]["args"][argument] == value
    for value in wrong:
        refused_by_both(
            "neutral", {"type": node["type"], "args": {argument: value}} | children, f"$.pipeline.args.{argument}"
        )


def test_bounds_of_the_range_of_sides():
    """It belongs to a placement, without which it is refused whatever it is."""

    def cutmix(minmax):
        return {"type": "mixtransforms.CutMix", "args": {"placement": "minmax", "minmax": minmax}}

    for value in ([0, 1], [0.2, 0.2], [0.25, 1.0]):
        validator().validate(file("neutral", cutmix(value)))
        mixtransforms.from_dict(file("neutral", cutmix(value)))
    for value in ([0.2, 1.0000001], [0.2, 2], [-1e-9, 0.5], [0.5], [0.1, 0.2, 0.3], [True, 1], ["0", 1]):
        refused_by_both("neutral", cutmix(value), "$.pipeline.args.minmax")


# The reader's own checks against the validator.


def leaf(schema):
    """Values at the edges of a schema without parts."""
    bounds = [schema[key] for key in BOUNDS if key in schema]
    edges = [value + step for value in bounds for step in (-1, -1e-9, 0, 1e-9, 1)]
    edges += [float(value) for value in bounds]
    fixed = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
    twisted = [twist for value in fixed for twist in twists(value)]
    kinds = schema.get("type", [])
    typed = [value for kind in ([kinds] if isinstance(kinds, str) else kinds) for value in OF_TYPE[kind]]
    return st.sampled_from([*edges, *fixed, *typed] or ODD) | st.sampled_from([*edges, *fixed, *twisted, *ODD])


BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

OF_TYPE = {
    "null": [None],
    "boolean": [True, False],
    "integer": [0, 1, 3.0],
    "number": [1, 0.5],
    "string": ["x", "BCHW"],
    "array": [[], [1]],
    "object": [{}],
}


def twists(value):
    """What resembles a value."""
    yield str(value)
    yield [value]
    if isinstance(value, str):
        yield value.upper()
        yield value[:-1]
    elif isinstance(value, (int, float)):
        yield from (float(value), bool(value), value + 1, value + 0.5)


ODD = [None, True, False, 0, 1, -1, 2, 0.0, 1.0, -0.0, 0.5, 1e300, 2**70, "", "1", "true", "x", "BCHW", "B\n", [], {}]
ODD += [[1], [True], [1.0, 2], ["x"], [None], [[1]], {"x": 1}, {"": None}, [0.5] * 4, [0.5] * 5]
ODD += [[1] * count for count in range(2, 7)]  # examples may miss the one length that fits


def near(schema):
    """Values that fit a schema, or nearly."""
    if isinstance(schema, bool):
        return st.sampled_from(ODD)
    parts = [leaf(schema)]
    if "pattern" in schema:
        parts.append(st.text("BCTHWD\n b", max_size=6))
    if "anyOf" in schema:
        parts += [near(part) for part in schema["anyOf"]]
    if "items" in schema or "minItems" in schema or "maxItems" in schema:
        low, high = schema.get("minItems", 0), schema.get("maxItems", 3)
        items = schema.get("items", True)
        parts.append(st.lists(near(items), min_size=max(low - 1, 0), max_size=high + 1))
        plain = st.sampled_from([1, 0, 0.5, 1.0, True, None, "x"])
        parts.append(plain.flatmap(lambda one: st.integers(max(low - 1, 0), high + 1).map(lambda count: [one] * count)))
    if "properties" in schema or "additionalProperties" in schema or "required" in schema:
        known = schema.get("properties", {})
        other = near(schema.get("additionalProperties", True))
        required = {name: near(known.get(name, True)) for name in schema.get("required", [])}
        optional = {name: near(part) for name, part in known.items() if name not in required}
        parts.append(st.fixed_dictionaries(required, optional=optional))
        parts.append(st.fixed_dictionaries({}, optional=required | optional | {"x": other, "type": other}))
    return st.one_of(parts)


def agree(schema, told=None, also=()):
    """Whether a value fits is the same for both, whatever the value; ``also`` are some more."""
    judge = jsonschema.Draft202012Validator(schema if told is None else told)
    seen = set()

    def check(value):
        fitting = fits(value, schema)
        assert fitting == judge.is_valid(value), (value, schema)
        seen.add(fitting)

    for value in (*ODD, *also):
        check(value)
    given(near(schema))(check)()
    return seen


def one(schema):
    """The least value of the first form: random objects of several required members rarely fit."""
    if "anyOf" in schema:
        return one(schema["anyOf"][0])
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        return {name: one(schema["properties"][name]) for name in schema.get("required", ())}
    return schema.get("minimum", 0)


@pytest.mark.parametrize("host", NAMES)
def test_reading_and_validating_agree_on_every_argument(host):
    needs(host)
    arguments = {}
    for entry in installed_codecs()[host].entries.values():
        for argument in entry.arguments.values():
            arguments.setdefault(json.dumps(argument.codec.schema, sort_keys=True), argument)
    for argument in arguments.values():
        seen = agree(argument.codec.schema, argument.schema, [one(argument.codec.schema)])
        assert seen == {True, False}, argument.codec.schema
    assert len(arguments) >= 18


WRITTEN = [
    True,
    False,
    {},
    {"type": "null"},
    {"type": "boolean"},
    {"type": "integer"},
    {"type": "number"},
    {"type": "string"},
    {"type": "array"},
    {"type": "object"},
    {"type": ["string", "integer"]},
    {"type": ["null", "array", "boolean"]},
    {"type": "integer", "minimum": 1},
    {"type": "number", "maximum": 1.0},
    {"minimum": 0, "maximum": 1},
    {"minimum": 1.5},
    {"type": "number", "exclusiveMinimum": 0},
    {"type": "integer", "exclusiveMaximum": 2, "minimum": 0},
    {"exclusiveMinimum": 0.0, "exclusiveMaximum": 1},
    {"enum": [1, "1", None]},
    {"enum": [True, 2.0]},
    {"enum": [False, 0.5, ""]},
    {"enum": [0]},
    {"enum": []},
    {"const": 1},
    {"const": True},
    {"const": 0.0},
    {"const": None},
    {"const": "x"},
    {"type": "boolean", "const": False},
    {"pattern": "^B[CHW]+$"},
    {"type": "string", "pattern": "H"},
    {"minLength": 1},
    {"type": "string", "minLength": 2},
    {"items": {"type": "integer"}},
    {"type": "array", "items": {"enum": [0, 1]}, "minItems": 1, "maxItems": 2},
    {"type": "array", "items": False},
    {"items": True, "minItems": 2},
    {"maxItems": 0},
    {"items": {"items": {"type": "number", "minimum": 0}, "maxItems": 1}, "maxItems": 2},
    {"properties": {"x": {"type": "integer"}}},
    {"properties": {"x": True, "y": False}},
    {"type": "object", "properties": {"x": {"const": 1}}, "required": ["x"]},
    {"required": ["x", "y"]},
    {"additionalProperties": {"type": "number"}},
    {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": False},
    {"properties": {"x": {}}, "additionalProperties": {"enum": [1]}},
    {"anyOf": [{"type": "null"}, {"type": "number", "minimum": 0}]},
    {"anyOf": [{"const": "x"}, {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}]},
    {"type": "number", "anyOf": [{"minimum": 1}, {"maximum": -1}]},
    {"anyOf": [False]},
    {"description": "Words.", "default": 3, "title": "A title", "type": "integer"},
]


@pytest.mark.parametrize("schema", WRITTEN, ids=json.dumps)
def test_reading_and_validating_agree_on_every_keyword(schema):
    agree(schema)


def test_those_schemas_have_every_keyword():
    assert {key for schema in WRITTEN if isinstance(schema, dict) for key in schema} == set(_CHECKS) | TELLING


def test_an_unknown_keyword_is_no_silent_yes():
    with pytest.raises(KeyError):
        fits(1, {"multipleOf": 2})


# What is said.


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (True, "anything"),
        ({}, "anything"),
        (False, "nothing that a file could hold"),
        ({"type": "null"}, "null"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "integer"}, "a whole number"),
        ({"type": "integer", "minimum": 1}, "a whole number, at least 1"),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, "a whole number within [0, 18446744073709551615]"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "a number within [0, 1]"),
        ({"type": "number", "minimum": 1e-6, "maximum": 1e6}, "a number within [1e-06, 1e+06]"),
        ({"type": ["string", "integer"]}, "a string or a whole number"),
        ({"type": "string", "pattern": "^B"}, "a string"),
        ({"type": "array"}, "a list"),
        ({"type": "array", "items": True}, "a list"),
        ({"type": "array", "items": {"type": "integer"}}, "a list (each a whole number)"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, "a list (2 items)"),
        ({"type": "array", "minItems": 1, "items": {"type": "number"}}, "a list (at least 1, each a number)"),
        ({"type": "object"}, "an object"),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, "an object of 'a', 'b'"),
        ({"enum": ["a", "b", None, 1]}, "one of 'a', 'b', null, 1"),
        ({"enum": ["a"]}, "'a'"),
        ({"enum": list(range(20))}, "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..."),
        ({"const": True}, "true"),
        (
            {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}]},
            "a number within [0, 1] or null",
        ),
        ({"anyOf": [{"type": "null"}, {"type": "null"}]}, "null"),
    ],
    ids=str,
)
def test_in_words(schema, words):
    assert in_words(schema) == words


PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
KINDS = {
    "anyOf": [
        {"enum": ["image"]},
        {
            "type": "object",
            "properties": {"kind": {"const": "mask"}, "n": {"type": "integer", "description": "Count."}},
        },
        {"type": "object", "properties": {"kind": {"const": "label"}, "m": {"type": "boolean"}}},
    ]
}


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("x", {"type": "integer"}, ("$", "x", "a whole number", "")),
        ([1, "x"], PAIR, ("$[1]", "x", "a number", "")),
        ([1], PAIR, ("$", [1], "a list (2 items, each a number)", "")),
        ("x", PAIR, ("$", "x", "a list (2 items, each a number)", "")),
        ([1, "x"], {"anyOf": [{"type": "null"}, PAIR]}, ("$[1]", "x", "a number", "")),
        ("x", {"anyOf": [{"type": "null"}, PAIR]}, ("$", "x", "null or a list (2 items, each a number)", "")),
        ([[1, 2], [1, None]], {"type": "array", "items": PAIR}, ("$[1][1]", None, "a number", "")),
        ({"kind": "mask", "n": 0.5}, KINDS, ("$.n", 0.5, "a whole number", "Count.")),
        ({"kind": "label", "m": 1}, KINDS, ("$.m", 1, "true or false", "")),
        (
            3,
            {"type": "integer", "maximum": 2, "minimum": 1, "description": "Why."},
            ("$", 3, "a whole number within [1, 2]", "Why."),
        ),
        ({"a b": 1}, {"type": "object", "additionalProperties": {"type": "null"}}, ('$["a b"]', 1, "null", "")),
    ],
    ids=str,
)
def test_misfit(value, schema, expected):
    assert not fits(value, schema)
    assert tuple(misfit(value, schema, "$")) == expected


def test_misfit_of_an_unknown_name():
    schema = {"type": "object", "properties": {"alpha": {}, "p": {}}, "additionalProperties": False}
    found = misfit({"p": 1, "alhpa": 2}, schema, "$")
    assert (found.path, found.value, found.wanted) == ("$.alhpa", 2, "one of alpha, p")
    assert "Did you mean 'alpha'" in found.fix
