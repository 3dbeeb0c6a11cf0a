"""The JSON Schema says once what it says often, and by that neither more nor less."""

import importlib.util
import json
from collections import Counter

import jsonschema
import pytest
from whole_schema import inlined

import mixtransforms
from mixtransforms.files.definitions import ref, shared
from mixtransforms.files.registry import installed_codecs, method_codec
from mixtransforms.files.schema import TELLING

RAMP = {"type": "object", "properties": {"kind": {"const": "Ramp"}, "until": {"type": "integer", "minimum": 0}}}
NUMBER = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, RAMP]}
STRING = {"type": "string", "pattern": "^a string that is long enough to be worth it$"}


def node(**arguments):
    return {"type": "object", "properties": {"args": {"type": "object", "properties": arguments}}}


def forms_of(schema):
    """What the parts of a schema check."""
    if isinstance(schema, list):
        for part in schema:
            yield from forms_of(part)
    elif isinstance(schema, dict):
        yield {key: value for key, value in schema.items() if key not in TELLING}
        for value in schema.values():
            yield from forms_of(value)


def test_what_stands_in_two_places_is_said_once():
    given = {"h/pkg.One": node(alpha=NUMBER, beta={"description": "Other text.", **NUMBER}), "h/pkg.Two": node(q=RAMP)}
    found = shared(given)
    assert found["forms/Ramp"] == RAMP
    assert found["forms/alpha"] == {"anyOf": [NUMBER["anyOf"][0], ref("forms/Ramp")]}
    assert found["h/pkg.One"] == node(
        alpha=ref("forms/alpha"), beta={"description": "Other text.", **ref("forms/alpha")}
    )
    assert found["h/pkg.Two"] == node(q=ref("forms/Ramp"))
    assert list(found) == ["h/pkg.One", "h/pkg.Two", "forms/Ramp", "forms/alpha"]


def test_what_is_repeated_with_its_text_is_so_in_one_definition():
    told = {"description": "How.", **STRING, "default": "a"}
    found = shared({"h/pkg.One": node(a=told), "h/pkg.Two": node(a=told, b=STRING), "h/pkg.Three": node(c=NUMBER)})
    assert found["args/a"] == {"description": "How.", "default": "a", **ref("forms/a")}
    assert found["forms/a"] == STRING
    assert found["h/pkg.Two"] == node(a=ref("args/a"), b=ref("forms/a"))
    assert found["h/pkg.Three"] == node(c=NUMBER), "what stands in one place stays there"


def test_others_of_one_name_are_numbered():
    other = {**STRING, "pattern": STRING["pattern"].upper()}
    found = shared({"One": node(a=STRING, b=other), "Two": {"properties": {"c": STRING, "a": other}}})
    assert (found["forms/a"], found["forms/b"]) == (STRING, other)
    found = shared({"One": node(a=STRING), "Two": node(a=other), "Three": node(b=STRING, c=other)})
    assert (found["forms/a"], found["forms/a.2"]) == (STRING, other)


def test_numbers_and_booleans_are_told_apart():
    """They are equal in Python: ``True == 1 == 1.0``."""
    yes, one = ({"enum": [value, "x" * 60]} for value in (True, 1))
    found = shared({"One": node(a=yes, b=one), "Two": node(c=yes, d=one)})
    assert json.dumps(found["forms/a"]) == json.dumps(yes)
    assert json.dumps(found["forms/b"]) == json.dumps(one)


def test_a_value_is_not_taken_for_a_form():
    """A default, and arguments that are called like a keyword."""
    long = {"items": "x" * 80}
    given = {name: node(default={"type": "string"}, a={"type": "object", "default": long}) for name in ("One", "Two")}
    assert inlined(shared(given), shared(given))["One"] == given["One"]


@pytest.mark.parametrize("host", ["torchvision", "albumentations", "neutral", "methods"])
def test_the_definitions_say_of_every_argument_what_its_codec_says(host):
    """Exactly, so that the schema accepts what it would if everything stood in its place."""
    if host not in ("neutral", "methods"):
        pytest.importorskip(host, reason=f"{host} is not installed")
    definitions = mixtransforms.json_schema()["$defs"]
    count = 0
    for entry in (method_codec() if host == "methods" else installed_codecs()[host]).entries.values():
        told = inlined(definitions[f"{host}/{entry.name}"], definitions)["properties"]["args"]
        assert (told["type"], told["additionalProperties"]) == ("object", False)
        assert set(told.get("required", [])) == {name for name, known in entry.arguments.items() if known.required}
        assert list(told["properties"]) == list(entry.arguments)
        for name, argument in entry.arguments.items():
            text = told["properties"][name].get("description", "")
            assert argument.doc == text if entry.is_own else argument.doc.startswith(text)
            assert text or not argument.doc
            said = {**argument.schema, **({"description": text} if text else {})}
            assert json.dumps(told["properties"][name], sort_keys=True) == json.dumps(said, sort_keys=True)
            count += 1
    assert count >= {"torchvision": 400, "albumentations": 800}.get(host, 60)


def test_nothing_long_is_said_twice_and_the_schema_is_small():
    schema = mixtransforms.json_schema()
    types = [part for name, part in schema["$defs"].items() if "/" in name]
    forms = Counter(json.dumps(form) for form in forms_of(types))
    assert not [form for form, uses in forms.items() if uses > 1 and len(form) > 100 and "$ref" not in form]
    assert len(json.dumps(schema)) < 300_000
    both = all(importlib.util.find_spec(host) for host in ("torchvision", "albumentations"))
    assert len(json.dumps(inlined(schema, schema["$defs"]))) > (2_000_000 if both else 200_000), "it was worth it"
    jsonschema.Draft202012Validator.check_schema(schema)
