"""Schedules in pipeline files: written, read, named, checked by the schema, and refused with their place."""

import functools
import importlib
import itertools
import json
import re
import tracemalloc
from typing import Any

import jsonschema
import pytest
import tiers
from whole_schema import whole_types

import mixtransforms
from mixtransforms import ConfigError, Cosine, OffAfter, Ramp, Schedule, Steps, fingerprint, from_json, to_json
from mixtransforms.files import check
from mixtransforms.files.source import source

HOSTS = ("neutral", "torchvision", "albumentations")

SCHEDULES: tuple[Schedule, ...] = (
    Ramp(0, 0.4, 0, 5),
    Ramp(0, 0.4, 0, 6),
    Ramp(0.1, 0.30000000000000004, 3, 10_000),
    Cosine(0, 0.4, 0, 5),
    Cosine(0.4, 0.1, 2, 90),
    Steps({0: 0.2}),
    Steps({20: 0.4, 0: 0.0, 10: 0.2}),
    OffAfter(0.2, 285),
    OffAfter(0.2, 0),
    Ramp(0, 0.4, 0, 5).then(0.1, 9),
    Ramp(0, 0.4, 0, 5).then(0.1, 8),
    OffAfter(0.4, 3).then(Steps({0: 0.1, 7: 0.2}), 5).then(Cosine(0.2, 0, 10, 20), 10),
)
"""All within the ranges of alpha, p and weights."""

SLOTS = {
    "alpha": lambda door, value: door.CutMix(alpha=value),
    "p": lambda door, value: door.MixUp(p=value, num_classes=4),
    "p of OneOf": lambda door, value: door.OneOf([door.MixUp(), door.CutMix()], p=value),
    "weights": lambda door, value: door.OneOf([door.MixUp(), door.CutMix()], weights=[value, 0.5]),
    "children": lambda door, value: door.OneOf([door.MixUp(p=value), door.OneOf([door.CutMix(alpha=value)], p=value)]),
}
"""Where a schedule may stand."""


@functools.cache
def names(host: str) -> dict[str, Any]:
    """What the code that is shown is written with."""
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    door = mixtransforms if host == "neutral" else importlib.import_module(f"mixtransforms.{host}")
    known = {name: getattr(mixtransforms, name) for name in ("Ramp", "Cosine", "Steps", "OffAfter", "Then")}
    known |= {name: getattr(door, name) for name in ("MixUp", "CutMix", "OneOf")} | {"door": door}
    if host == "torchvision":
        known["v2"] = importlib.import_module("torchvision.transforms.v2")
    if host == "albumentations":
        known["A"] = importlib.import_module("albumentations")
    return known if host == "neutral" else known | {"BatchCompose": door.BatchCompose}


def pipelines(host: str, slot: str, value: Any) -> list[Any]:
    """A transform, and what of the host's may hold it."""
    known = names(host)
    make = functools.partial(SLOTS[slot], known["door"], value)
    if host == "neutral":
        return [make()]
    container = known["v2"].Compose if host == "torchvision" else known["A"].Compose
    flip = known["v2"].RandomHorizontalFlip() if host == "torchvision" else known["A"].HorizontalFlip()
    return [make(), known["BatchCompose"]([flip, make()], seed=3), container([make()])]


def method_of(pipeline: Any) -> Any:
    return (pipeline if hasattr(pipeline, "method") else pipeline.transforms[-1]).method


@functools.cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(mixtransforms.json_schema())


# ------------------------------------------------------------------------------------------------------- there and back


@tiers.product(host=HOSTS, slot=SLOTS, schedule=SCHEDULES)
def test_schedules_come_back_equal(host: str, slot: str, schedule: Schedule) -> None:
    for pipeline in pipelines(host, slot, schedule):
        text = to_json(pipeline)
        again = from_json(text)
        assert type(again) is type(pipeline)
        assert method_of(again) == method_of(pipeline)
        assert to_json(again) == text
        assert fingerprint(again) == fingerprint(pipeline)
        shown = eval(source(pipeline), dict(names(host)))
        assert json.loads(to_json(shown))["pipeline"] == json.loads(text)["pipeline"]


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("host", HOSTS)
def test_written_files_are_of_the_schema(host: str, slot: str) -> None:
    for pipeline in pipelines(host, slot, SCHEDULES[-1]):
        validator().validate(json.loads(to_json(pipeline)))
    if host == "neutral":
        for schedule in SCHEDULES:
            validator().validate(json.loads(to_json(SLOTS[slot](mixtransforms, schedule))))


@pytest.mark.parametrize("slot", SLOTS)
def test_every_schedule_has_a_fingerprint_of_its_own(slot: str) -> None:
    values = [*SCHEDULES, 0.2, 0.25]
    made = [fingerprint(SLOTS[slot](mixtransforms, value)) for value in values]
    assert len(set(made)) == len(values)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Ramp(0, 1, 0, 5), Ramp(0.0, 1.0, 0, 5)),
        (Steps({5: 1, 0: 0}), Steps([[0, 0.0], [5, 1.0]])),
        (OffAfter(1, 3).then(0, 5).then(1, 9), OffAfter(1, 3).then(Steps({0: 0}).then(1, 9), 5)),
    ],
)
def test_equal_schedules_have_one_text_and_fingerprint(first: Schedule, second: Schedule) -> None:
    one, other = mixtransforms.MixUp(p=first), mixtransforms.MixUp(p=second)
    assert to_json(one) == to_json(other)
    assert fingerprint(one) == fingerprint(other)


def test_what_stands_in_a_file() -> None:
    def written(schedule: Schedule) -> Any:
        return mixtransforms.to_dict(mixtransforms.MixUp(schedule))["pipeline"]["args"]["alpha"]

    assert written(Ramp(0, 0.4, 0, 5)) == {"kind": "Ramp", "start": 0, "end": 0.4, "begin": 0, "until": 5}
    assert written(Cosine(1, 0, 2, 5)) == {"kind": "Cosine", "start": 1, "end": 0, "begin": 2, "until": 5}
    assert written(Steps({5: 1, 0: 0})) == {"kind": "Steps", "at": [[0, 0], [5, 1]]}
    assert written(OffAfter(1, 9)) == {"kind": "OffAfter", "value": 1, "epoch": 9}
    parts = [{"kind": "OffAfter", "value": 1, "epoch": 9}, {"kind": "Steps", "at": [[0, 0.5]]}]
    assert written(OffAfter(1, 9).then(0.5, 7)) == {"kind": "Then", "parts": parts, "at": [7]}


def test_schedules_of_ones_own_are_refused_at_save() -> None:
    class Own(Ramp):
        pass

    with pytest.raises(ConfigError, match=r"\$\.pipeline\.args\.alpha\): got .*Own"):
        to_json(mixtransforms.MixUp(Own(0.1, 1, 0, 5)))


def test_nor_may_they_take_the_name_of_ours() -> None:
    own = type("Ramp", (Ramp,), {"over": lambda self, epochs: 0.0 * epochs + 0.7})
    with pytest.raises(ConfigError, match=r"\$\.pipeline\.args\.alpha"):
        to_json(mixtransforms.MixUp(own(0.1, 1, 0, 5)))


def test_epochs_are_not_in_files() -> None:
    pipeline = mixtransforms.MixUp(Ramp(0.1, 0.4, 0, 5), seed=1)
    before = to_json(pipeline), fingerprint(pipeline)
    mixtransforms.set_epoch(pipeline, 4)
    assert (to_json(pipeline), fingerprint(pipeline)) == before
    assert from_json(before[0]).stream_state()["epoch"] is None


# -------------------------------------------------------------------------------------------------------- what is refused

GOOD: dict[str, dict[str, Any]] = {
    "Ramp": {"kind": "Ramp", "start": 0.1, "end": 0.4, "begin": 0, "until": 5},
    "Cosine": {"kind": "Cosine", "start": 0.1, "end": 0.4, "begin": 0, "until": 5},
    "Steps": {"kind": "Steps", "at": [[0, 0.1], [5, 0.2]]},
    "OffAfter": {"kind": "OffAfter", "value": 0.1, "epoch": 5},
}
GOOD["Then"] = {"kind": "Then", "parts": list(GOOD.values()), "at": [3, 7, 9]}


def file(args: dict[str, Any], kind: str = "MixUp", host: str = "neutral", **more: Any) -> dict[str, Any]:
    node = {"type": f"mixtransforms.{kind}", "args": args, **more}
    return {"format": "mixtransforms/pipeline", "format_version": 2, "host": host, "pipeline": node}


def placed(schedule: Any) -> list[tuple[dict[str, Any], str]]:
    """Files with a schedule in every slot, and its path."""
    children = [{"type": "mixtransforms.MixUp"}, {"type": "mixtransforms.CutMix", "args": {"alpha": schedule}}]
    return [
        (file({"alpha": schedule}), "$.pipeline.args.alpha"),
        (file({"p": schedule}, "CutMix"), "$.pipeline.args.p"),
        (file({"p": schedule}, "OneOf", children=children[:1]), "$.pipeline.args.p"),
        (file({"weights": [0.5, schedule]}, "OneOf", children=children[:1] * 2), "$.pipeline.args.weights[1]"),
        (file({}, "OneOf", children=children), "$.pipeline.children[1].args.alpha"),
    ]


def refused(data: Any, path: str) -> str:
    """The text of the only problem, which is at a path, or below it."""
    with pytest.raises(ConfigError, match=rf"\({re.escape(path)}[)\[.]") as caught:
        from_json(json.dumps(data))
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize("kind", GOOD)
def test_the_good_ones_are_taken(kind: str) -> None:
    for data, _ in placed(GOOD[kind]):
        validator().validate(data)
        from_json(json.dumps(data))


OF_THE_WRONG_FORM: dict[str, tuple[Any, str]] = {
    "unknown kind": (GOOD["Ramp"] | {"kind": "Rmp"}, ""),
    "abstract kind": ({"kind": "Schedule"}, ""),
    "method as kind": ({"kind": "MixUp"}, ""),
    "no kind": ({"start": 0, "end": 1, "begin": 0, "until": 5}, ""),
    "list as kind": ({"kind": ["Ramp"]}, ""),
    "null as kind": ({"kind": None}, ""),
    "nothing": ({}, ""),
    "list": ([GOOD["Ramp"]], ""),
    "text": ("Ramp(0, 1, 0, 5)", ""),
    "unknown argument": (GOOD["Ramp"] | {"middle": 3}, ".middle"),
    "argument of another": (GOOD["OffAfter"] | {"until": 3}, ".until"),
    "epoch as text": (GOOD["Ramp"] | {"until": "5"}, ".until"),
    "epoch beyond": (GOOD["Ramp"] | {"until": 10**9}, ".until"),
    "epoch below": (GOOD["Cosine"] | {"begin": -1}, ".begin"),
    "half an epoch": (GOOD["OffAfter"] | {"epoch": 2.5}, ".epoch"),
    "epoch as boolean": (GOOD["OffAfter"] | {"epoch": True}, ".epoch"),
    "null as epoch": (GOOD["OffAfter"] | {"epoch": None}, ".epoch"),
    "value as text": (GOOD["OffAfter"] | {"value": "0.1"}, ".value"),
    "value beyond": (GOOD["Ramp"] | {"end": 1e7}, ".end"),
    "schedule as value": (GOOD["Ramp"] | {"end": GOOD["Ramp"]}, ".end"),
    "dict of steps": ({"kind": "Steps", "at": {"0": 0.1}}, ".at"),
    "no steps": ({"kind": "Steps", "at": []}, ".at"),
    "three in a step": ({"kind": "Steps", "at": [[0, 0.1, 0.2]]}, ".at[0]"),
    "step without value": ({"kind": "Steps", "at": [[0, 0.1], [3]]}, ".at[1]"),
    "step as text": ({"kind": "Steps", "at": [[0, 0.1], ["3", 0.1]]}, ".at[1][0]"),
    "no parts": ({"kind": "Then", "parts": [], "at": []}, ".parts"),
    "number as part": ({"kind": "Then", "parts": [0.1, GOOD["Ramp"]], "at": [3]}, ".parts[0]"),
    "then as part": ({"kind": "Then", "parts": [GOOD["Ramp"], GOOD["Then"]], "at": [3]}, ".parts[1]"),
    "bad part": ({"kind": "Then", "parts": [GOOD["Ramp"], GOOD["OffAfter"] | {"epoch": "x"}], "at": [3]}, ".parts[1].epoch"),
    "joint as text": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 2, "at": ["3"]}, ".at[0]"),
    "joint alone": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 2, "at": 3}, ".at"),
    "joint beyond": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 2, "at": [10**9]}, ".at[0]"),
    "too many parts": ({"kind": "Then", "parts": [GOOD["OffAfter"]] * 101, "at": list(range(100))}, ".parts"),
}  # fmt: skip


@pytest.mark.parametrize("case", OF_THE_WRONG_FORM)
def test_the_schema_refuses_it_and_reading_says_where(case: str) -> None:
    schedule, below = OF_THE_WRONG_FORM[case]
    for data, path in placed(schedule):
        assert not validator().is_valid(data)
        refused(data, path + below)


MISSING = [(kind, name) for kind, schedule in GOOD.items() for name in schedule if name != "kind"]


def less(kind: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD[kind].items() if key != name}


@pytest.mark.parametrize(("kind", "name"), MISSING)
def test_a_missing_argument_is_named(kind: str, name: str) -> None:
    for data, path in placed(less(kind, name)):
        path = path.removesuffix("[1]") if path.endswith("weights[1]") else path
        assert re.search(rf"['.]{name}['),]", refused(data, path))


@pytest.mark.parametrize(("kind", "name"), MISSING)
def test_the_schema_refuses_a_missing_argument(kind: str, name: str) -> None:
    assert not any(validator().is_valid(data) for data, _ in placed(less(kind, name)))


REFUSED_BY_RULES: dict[str, tuple[Any, str]] = {
    "no way": (GOOD["Ramp"] | {"begin": 5}, r"The end is not after the beginning \(Ramp\)"),
    "backwards": (GOOD["Cosine"] | {"begin": 9}, r"The end is not after the beginning \(Cosine\)"),
    "whole number as fraction": (GOOD["Ramp"] | {"until": 5.0}, r"'until' \(Ramp\): got 5\.0"),
    "an epoch twice": ({"kind": "Steps", "at": [[0, 0.1], [3, 0.1], [3, 0.2]]}, r"'at' \(Steps\)"),
    "without the first epoch": ({"kind": "Steps", "at": [[1, 0.1]]}, r"'at' \(Steps\).*has the epoch 0"),
    "step beyond": ({"kind": "Steps", "at": [[0, 0.1], [10**9, 0.1]]}, r"'at' \(Steps\)"),
    "value of a step beyond": ({"kind": "Steps", "at": [[0, 0.1], [4, 1e9]]}, r"'at' \(Steps\)"),
    "joints in disorder": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 3, "at": [5, 3]}, r"'at' \(Then\)"),
    "joints that are equal": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 3, "at": [5, 5]}, r"'at' \(Then\)"),
    "too few joints": ({"kind": "Then", "parts": [GOOD["Ramp"]] * 3, "at": [5]}, r"1 epochs for 3 parts \(Then\)"),
    "too many joints": ({"kind": "Then", "parts": [GOOD["Ramp"]], "at": [5]}, r"1 epochs for 1 parts \(Then\)"),
    "negative in some epoch": (GOOD["Ramp"] | {"end": -0.2}, r"In epoch 2 it would be -0\.02\."),
    "too much at its end": (GOOD["Ramp"] | {"end": 1e6 - 1, "start": -1}, r"In epoch 0 it would be -1\."),
}


@pytest.mark.parametrize("case", REFUSED_BY_RULES)
def test_rules_beyond_the_form_say_what_is_wrong(case: str) -> None:
    schedule, told = REFUSED_BY_RULES[case]
    for data, path in placed(schedule):
        text = refused(data, path.removesuffix("[1]") if path.endswith("weights[1]") else path)
        assert re.search(told, text)


def test_weights_that_are_too_much_in_the_middle() -> None:
    up, down = GOOD["Cosine"] | {"start": 0, "end": 1, "until": 10}, GOOD["Ramp"] | {"start": 1, "end": 0, "until": 10}
    data = file({"weights": [up, down]}, "OneOf", children=[{"type": "mixtransforms.MixUp"}] * 2)
    validator().validate(data)
    assert "Their sum would be 1.10451 in epoch 8." in refused(data, "$.pipeline.args.weights")


ELSEWHERE = ["num_classes", "seed", "fold", "per", "pairing", "ignore_index", "keep_originals", "masks", "pad", "boxes"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_schedule_where_none_belongs(name: str) -> None:
    data = file({name: GOOD["Ramp"]})
    assert not validator().is_valid(data)
    refused(data, f"$.pipeline.args.{name}")


@pytest.mark.parametrize("host", HOSTS[1:])
def test_a_schedule_in_what_is_the_hosts(host: str) -> None:
    names(host)
    data = file({}, "BatchCompose", host, children=[])
    flip = "RandomHorizontalFlip" if host == "torchvision" else "HorizontalFlip"
    data["pipeline"]["children"] = [{"type": f"{host}.{flip}", "args": {"p": GOOD["Ramp"]}}]
    assert not validator().is_valid(data)
    refused(data, "$.pipeline.children[0].args.p")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(number: str) -> None:
    text = json.dumps(file({"alpha": GOOD["OffAfter"] | {"value": "@"}})).replace('"@"', number)
    with pytest.raises(ConfigError, match=r"\(\$\.pipeline\.args\.alpha\.value\): got '"):
        from_json(text)


def nested(depth: int) -> dict[str, Any]:
    schedule = GOOD["Ramp"]
    for _ in range(depth):
        schedule = {"kind": "Then", "parts": [schedule], "at": []}
    return schedule


HOSTILE: dict[str, tuple[Any, str]] = {
    "parts": ({"kind": "Then", "parts": [GOOD["OffAfter"]] * 3_000, "at": list(range(2_999))}, ".parts"),
    "joints": ({"kind": "Then", "parts": [GOOD["OffAfter"]] * 2, "at": list(range(20_000))}, ".at"),
    "steps": ({"kind": "Steps", "at": [[epoch, 0.1] for epoch in range(9_000)] + [[7, 0.1]]}, ""),
    "wrong steps": ({"kind": "Steps", "at": [[0, 0.1]] * 8_999 + [["x", 0.1]]}, ".at[8999][0]"),
    "one step": ({"kind": "Steps", "at": [[0] * 20_000]}, ".at[0]"),
    "nested": (nested(10), ".parts[0]"),
    "deep list": ({"kind": "Steps", "at": functools.reduce(lambda inner, _: [inner], range(20), [])}, ".at[0]"),
    "long kind": ({"kind": "x" * 4000}, ""),
    "long name": (GOOD["Ramp"] | {"x" * 250: 0}, "." + "x" * 39),
    "many names": (GOOD["Ramp"] | {f"x{number}": 0 for number in range(50_000)}, ".x0"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_schedules_are_refused_and_cost_little(case: str) -> None:
    schedule, below = HOSTILE[case]
    text = json.dumps(file({"alpha": schedule}))
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match=rf"\(\$\.pipeline\.args\.alpha{re.escape(below)}") as caught:
            from_json(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 3000
    assert peak < 50 * 2**20


def test_as_many_parts_as_no_file_may_hold() -> None:
    text = json.dumps(file({"alpha": {"kind": "Then", "parts": [{}] * 100_001, "at": []}}))
    with pytest.raises(ConfigError, match=r"\(\$\.pipeline\.args\.alpha\.parts\[\d+\]\).*at most 100000 values"):
        from_json(text)


@pytest.mark.parametrize("depth", [15, 40, 2000])
def test_nesting_beyond_the_limit_is_refused_by_the_reader(depth: int) -> None:
    inner = '{"kind": "Then", "at": [], "parts": [' * depth + json.dumps(GOOD["Ramp"]) + "]}" * depth
    text = json.dumps(file({"alpha": "@"})).replace('"@"', inner)
    with pytest.raises(ConfigError, match=r"\(\$\.pipeline\.args\.alpha(\.parts\[0\])+.*at most 32 levels"):
        from_json(text)


@pytest.mark.full
def test_the_largest_schedules_that_are_taken() -> None:
    steps = Steps({epoch: epoch / 1e5 for epoch in range(10_000)})
    parts = [Ramp(0.1, 0.9, 0, 10_000), Cosine(0.1, 0.9, 0, 10_000)] * 50
    chain = functools.reduce(lambda first, step: first.then(parts[step], step), range(1, 100), parts[0])
    tracemalloc.start()
    try:
        for schedule in (steps, chain):
            pipeline = mixtransforms.MixUp(p=schedule)
            assert from_json(to_json(pipeline)).p == schedule
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20


# ------------------------------------------------------------------------------------------------ YAML, old files, commands

YAML = """
format: mixtransforms/pipeline
format_version: 2
host: neutral
pipeline:
  type: mixtransforms.OneOf
  args:
    p: {kind: OffAfter, value: 1, epoch: 285}
    weights:
      - kind: Ramp
        start: 0
        end: 0.5
        begin: 0
        until: 5
      - 0.5
  children:
    - type: mixtransforms.MixUp
      args:
        alpha:
          kind: Steps
          at:
            - [0, 0.2]
            - [30, 0.4]
    - type: mixtransforms.CutMix
      args:
        alpha: {kind: Then, parts: [{kind: Cosine, start: 1, end: 2, begin: 0, until: 9}, {kind: Steps, at: [[0, 1]]}], at: [20]}
"""


@pytest.fixture
def yaml_file(tmp_path: Any) -> Any:
    pytest.importorskip("yaml")
    path = tmp_path / "pipeline.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


def test_schedules_in_yaml(yaml_file: Any) -> None:
    children = [
        mixtransforms.MixUp(Steps({0: 0.2, 30: 0.4})),
        mixtransforms.CutMix(Cosine(1, 2, 0, 9).then(1, 20)),
    ]
    expected = mixtransforms.OneOf(children, weights=[Ramp(0, 0.5, 0, 5), 0.5], p=OffAfter(1, 285))
    assert mixtransforms.load(yaml_file).method == expected.method
    assert check(yaml_file) == []


@pytest.mark.parametrize(
    ("good", "bad", "path"),
    [
        ("until: 5", "until: five", r"$.pipeline.args.weights[0].until"),
        ("until: 5", "untill: 5", r"$.pipeline.args.weights[0].untill"),
        ("kind: Ramp", "kind: Rmp", r"$.pipeline.args.weights[0]"),
        ("- [30, 0.4]", "- [30, yes]", r"$.pipeline.children[0].args.alpha.at[1][1]"),
        ("epoch: 285", "epoch: 1:30", r"$.pipeline.args.p.epoch"),
        ("begin: 0, until: 9", "begin: 0, until: 1e9", r"$.pipeline.children[1].args.alpha.parts[0].until"),
    ],
)
def test_validate_names_the_line(yaml_file: Any, good: str, bad: str, path: str) -> None:
    assert YAML.count(good) == 1
    yaml_file.write_text(YAML.replace(good, bad), encoding="utf-8")
    ((line, text),) = check(yaml_file)
    assert f"({path})" in text
    lines = YAML.splitlines()
    assert good in lines[line - 1] or (bad == "kind: Rmp" and "Ramp" in lines[line - 1])


def commands(*words: Any) -> Any:
    pytest.importorskip("typer")
    from typer.testing import CliRunner

    from mixtransforms.cli import main

    return CliRunner().invoke(main.application(), [str(word) for word in words])


def test_the_command_validate(tmp_path: Any) -> None:
    good, wrong = tmp_path / "good.json", tmp_path / "wrong.json"
    good.write_text(json.dumps(file({"alpha": GOOD["Then"]}), indent=1), encoding="utf-8")
    wrong.write_text(json.dumps(file({"alpha": GOOD["Ramp"] | {"until": "x"}}), indent=1), encoding="utf-8")
    result = commands("validate", good, wrong)
    assert result.exit_code == 1
    line = next(number for number, text in enumerate(wrong.read_text().splitlines(), start=1) if '"until"' in text)
    assert f"{good}: a pipeline that loads" in result.output
    assert f"{wrong}:{line}: Bad value for 'alpha' ($.pipeline.args.alpha.until): got 'x'" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("MixUp", "\nalpha: 0 or a number within [1e-06, 1e+06], or a schedule of such numbers; default 0.2\n"),
        ("CutMix", "\nalpha: 0 or a number within [1e-06, 1e+06], or a schedule of such numbers; default 1.0\n"),
        ("MixUp", "\np: a number within [0, 1], or a schedule of such numbers; default 1.0\n"),
        ("OneOf", "\np: a number within [0, 1], or a schedule of such numbers; default 1.0\n"),
        (
            "OneOf",
            "\nweights: None or one chance a method, each within [0, 1] or a schedule of such, together at most 1",
        ),
    ],
)
def test_the_command_describe(kind: str, told: str) -> None:
    assert told in commands("describe", kind).output


@pytest.mark.parametrize("version", [1, 2])
def test_files_without_schedules_still_load(version: int) -> None:
    data = file({"alpha": 0.4, "p": 1}) | {"format_version": version}
    assert from_json(json.dumps(data)).method == mixtransforms.MixUp(0.4).method


def test_every_kind_is_in_the_schema() -> None:
    text = json.dumps(whole_types()["neutral/mixtransforms.MixUp"])
    assert all(f'{{"const": "{kind}"}}' in text for kind in GOOD)
    assert set(GOOD) == {type(schedule).__name__ for schedule in SCHEDULES}
    assert len(list(itertools.chain.from_iterable(placed(GOOD[kind]) for kind in GOOD))) == 25
