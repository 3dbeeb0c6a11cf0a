"""The commands about pipeline files: list, describe, validate and schema."""

import dataclasses
import json
import re

import pytest

import mixtransforms
from mixtransforms import CutMix, MixUp, OneOf
from mixtransforms.methods.registry import METHODS
from mixtransforms.methods.schedules import SCHEDULES

pytest.importorskip("typer")

from commands import failed as fails
from commands import run

from mixtransforms.files import describe
from mixtransforms.files.describe import parts, types
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.declared import DECLARABLE
from mixtransforms.presets import PRESETS

HOSTS = ("torchvision", "albumentations")


def succeeds(*words):
    """What a command prints that has nothing else to say."""
    result = run(*words)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


GOOD = mixtransforms.to_dict(OneOf([MixUp(), CutMix()], seed=1))

WRONG = GOOD | {
    "pipeline": {
        "type": "mixtransforms.OneOf",
        "args": {"p": 2, "per": "sampel"},
        "children": [{"type": "mixtransforms.MixUp", "args": {"alhpa": 1}}],
    }
}


def written(folder, name, data):
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1), encoding="utf-8")
    return path


# List.


def rows(text):
    """The names that a list has, without its headings."""
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ")]


MARKUP = re.compile(r"``|:\w+:`|`_|^\.\. \w+::|\*\*\w", re.MULTILINE)


def test_list_has_every_type_once_with_what_it_does():
    text = succeeds("list")
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    known = [*types(), *parts()]
    assert [line.split()[0] for line in lines] == [*(entry.name for entry in known), *PRESETS]
    assert len({entry.name for entry in known}) == len(known)
    for line, entry in zip(lines, known, strict=False):
        assert line.endswith(entry.summary)
        assert 0 < len(entry.summary) <= 100
    assert not MARKUP.search(text)


def test_list_has_headings():
    lines = succeeds("list").splitlines()
    headings = [line for line in lines if line and not line.startswith("  ")]
    assert headings[0] == "Of mixtransforms"
    assert "Inside of arguments: schedules in place of numbers, rules of boxes, and kinds" in headings
    assert headings[-1] == "`mixtransforms describe NAME` tells what one takes."
    for name in ("Ramp", "BoxRules", "Keypoints"):  # as it says
        succeeds("describe", name)


def test_list_tells_the_hosts_own_mixes_from_ours():
    pytest.importorskip("torchvision")
    text = succeeds("list", "--host", "torchvision")
    assert re.search(r"\n  torchvision.MixUp +torchvision's own MixUp, not ours: ", text)
    assert re.search(r"\n  mixtransforms.MixUp +Blends every sample with a partner: x = weight", text)
    assert re.search(r"\n  torchvision.Identity +Has no description\.\n", text)


def test_list_of_the_neutral_host():
    names = rows(succeeds("list", "--host", "neutral"))
    assert sorted(name for name in names if "." in name) == [f"mixtransforms.{name}" for name in sorted(METHODS)]


@pytest.mark.parametrize("host", HOSTS)
def test_list_of_a_host(host):
    pytest.importorskip(host, reason=f"{host} is not installed")
    names = [name for name in rows(succeeds("list", "--host", host)) if "." in name]
    assert {"mixtransforms.BatchCompose", "mixtransforms.MixUp", f"{host}.Resize", f"{host}.Compose"} <= set(names)
    assert {name.split(".")[0] for name in names} == {"mixtransforms", host}
    assert f"{host}.Lambda" not in names
    assert len(names) > 60


@pytest.mark.parametrize("host", ["keras", "Torchvision", "\x1b[31m"])
def test_list_of_no_host(host):
    result = fails("list", "--host", host)
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: No host is called {host!r}, or it is not installed")
    assert "\x1b" not in result.output


# Describe.


def test_describe_one_of_ours():
    text = succeeds("describe", "MixUp")
    assert text.startswith("mixtransforms.MixUp\n\n")
    assert "\nalpha: 0 or a number within [1e-06, 1e+06], or a schedule of such numbers; default 0.2\n    " in text
    assert "\nnum_classes: " in text
    assert "arXiv:1710.09412" in text
    assert "children:" not in text
    assert text.count("arXiv:1710.09412") == 1
    assert succeeds("describe", "mixup") == succeeds("describe", "mixtransforms.MixUp") == text


@pytest.mark.parametrize("name", SCHEDULES)
def test_describe_a_schedule(name):
    text = succeeds("describe", name)
    assert text.startswith(f"{name}\n\n")
    assert f'{{"kind": "{name}", "' in text
    assert all(f"\n{item.name}: " in text for item in dataclasses.fields(SCHEDULES[name]))
    assert succeeds("describe", name.lower()) == text


def test_describe_a_choice():
    assert "\nchildren: mixing methods\n" in succeeds("describe", "mixtransforms.OneOf")


@pytest.mark.parametrize("host", HOSTS)
def test_describe_one_of_a_host(host):
    pytest.importorskip(host, reason=f"{host} is not installed")
    text = succeeds("describe", f"{host}.Compose")
    assert text.startswith(f"{host}.Compose\n")
    assert "\nchildren: transforms of the same host\n" in text
    assert re.search(rf"\nSource: {host}\.[\w.]+\.Compose, {host} \d+\.\d+", text)


def test_describe_arguments_of_torchvision():
    pytest.importorskip("torchvision")
    text = succeeds("describe", "torchvision.RandomCrop")
    assert re.search(r"\nsize: .*; must be given\n", text)
    assert re.search(r"\npadding_mode: one of 'constant', .*; default \"constant\"\n", text)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("v2.Resize", "torchvision.Resize"),
        ("transforms.v2.Resize", "torchvision.Resize"),
        ("torchvision.transforms.v2.Resize", "torchvision.Resize"),
        ("V2.resize", "torchvision.Resize"),
        ("A.HorizontalFlip", "albumentations.HorizontalFlip"),
        ("a.horizontalflip", "albumentations.HorizontalFlip"),
        ("horizontalflip", "albumentations.HorizontalFlip"),
        ("mixtransforms.torchvision.MixUp", "mixtransforms.MixUp"),
        ("mixtransforms.albumentations.OneOf", "mixtransforms.OneOf"),
    ],
)
def test_describe_understands_how_tutorials_spell(spelling, name):
    for host in HOSTS:
        pytest.importorskip(host, reason=f"{host} is not installed")
    assert succeeds("describe", spelling).startswith(f"{name}\n\n")


def test_describe_the_pipelines_of_both_hosts():
    for host in HOSTS:
        pytest.importorskip(host, reason=f"{host} is not installed")
    text = succeeds("describe", "BatchCompose")
    ours, theirs = text.split("mixtransforms.BatchCompose, in a pipeline of ")[1:]
    assert ours.startswith("torchvision\n")
    assert "v2 transforms" in ours
    assert "bbox_params" not in ours
    assert theirs.startswith("albumentations\n")
    assert "\nbbox_params: " in theirs
    alone = succeeds("describe", "mixtransforms.torchvision.BatchCompose")
    assert alone.startswith("mixtransforms.BatchCompose\n\nRuns v2 transforms")
    assert "bbox_params" not in alone


def test_describe_says_which_host_has_an_option():
    pytest.importorskip("torchvision")
    text = succeeds("describe", "CutMix")
    assert re.search(r"\nlabels_getter: .*\n    In a pipeline of torchvision: ", text)


@pytest.mark.parametrize("cls", [BoxRules, *DECLARABLE.values()], ids=lambda cls: cls.__name__)
def test_describe_what_stands_inside_of_arguments(cls):
    text = succeeds("describe", cls.__name__)
    assert text.startswith(f"{cls.__name__}\n\n")
    names = {item.name for item in dataclasses.fields(cls) if "rule" in item.metadata}
    assert set(re.findall(r"^(\w+): .*; (?:default|must)", text, re.MULTILINE)) == names
    assert succeeds("describe", f"mixtransforms.{cls.__name__.lower()}") == text


@pytest.mark.parametrize("cls", [BoxRules, *DECLARABLE.values()], ids=lambda cls: cls.__name__)
def test_the_form_that_describe_shows_is_read(cls):
    """With the defaults that it names in place of the dots."""
    text = succeeds("describe", cls.__name__)
    defaults = dict(re.findall(r"^(\w+): .*; default (.+)$", text, re.MULTILINE))
    (form,) = re.findall(r"In a file it is .*?: (\{.*?\})", " ".join(text.split()))
    for name, default in defaults.items():
        form = form.replace(f'"{name}": ...', f'"{name}": {default}')
    value = json.loads(form)
    args = {"boxes": value} if cls is BoxRules else {"kinds": {"a": value}}
    read = mixtransforms.from_dict(GOOD | {"pipeline": {"type": "mixtransforms.MixUp", "args": args}})
    assert (read.boxes if cls is BoxRules else read.kinds["a"]) == cls()


@pytest.mark.parametrize("name", ["torchvision.Resize", "torchvision.ToDtype", "MixUp", "BatchCompose"])
def test_describe_has_no_markup(name):
    pytest.importorskip("torchvision")
    text = succeeds("describe", name)
    assert not MARKUP.search(text)
    described = [line for line in text.splitlines() if line.startswith("    ")]
    assert described
    assert max(map(len, described)) <= 100


def test_every_type_can_be_described():
    for entry in types():
        described = describe.describe(entry.name)
        assert {each.name.partition(",")[0] for each in described} == {entry.name}
        assert not any(MARKUP.search("\n".join(describe.description_lines(each))) for each in described), entry.name


@pytest.mark.parametrize(
    "command", ["", "demo", "preview", "list", "preset", "describe", "validate", "schema", "doctor"]
)
def test_short_help(command):
    assert succeeds(*command.split(), "-h") == succeeds(*command.split(), "--help")


def test_describe_what_is_no_type():
    pytest.importorskip("torchvision")
    result = fails("describe", "torchvision.Rezise")
    assert result.stdout == ""
    assert result.stderr.startswith("Error: No type is called 'torchvision.Rezise'. Did you mean 'torchvision.Resize'")
    assert "Did you mean 'MixUp'" in fails("describe", "MixUpp").stderr
    assert fails("describe", "qqqqqqqq").stderr.endswith("`mixtransforms list` shows all.\n")
    assert "\x1b" not in fails("describe", "Mix\x1b[31mUp").output
    assert fails("describe", "v2.Rezise").stderr.count("'torchvision.Resize'") == 1
    assert "'BoxRules'" in fails("describe", "BoxRule").stderr


def test_describe_what_both_hosts_have():
    for host in HOSTS:
        pytest.importorskip(host, reason=f"{host} is not installed")
    text = fails("describe", "Resize").stderr
    assert text.startswith("Error: Several types are called 'Resize'.")
    assert "'torchvision.Resize', 'albumentations.Resize'" in text
    for name in re.findall(r"'(\w+\.\w+)'", text):  # as it says
        succeeds("describe", name)


# Validate.


def test_validate_what_is_right(tmp_path):
    path = written(tmp_path, "good.json", GOOD)
    assert succeeds("validate", path) == f"{path}: a pipeline that loads\n"


def test_validate_tells_every_problem_with_its_line(tmp_path):
    path = written(tmp_path, "wrong.json", WRONG)
    result = fails("validate", path)
    lines = path.read_text(encoding="utf-8").splitlines()
    *told, end = result.stdout.splitlines()
    assert end == "3 problems found."
    places = {"p": "$.pipeline.args.p", "per": "$.pipeline.args.per", "alhpa": "$.pipeline.children[0].args.alhpa"}
    for line, name in zip(told, places, strict=True):
        match = re.match(rf"{re.escape(str(path))}:(\d+): .*\({re.escape(places[name])}\): got ", line)
        assert f'"{name}"' in lines[int(match[1]) - 1]
    assert "Did you mean 'alpha'" in told[2]
    assert result.stderr == ""


YAML = """\
# By hand.
format: mixtransforms/pipeline
format_version: 2
host: neutral
pipeline:
  type: mixtransforms.OneOf
  args:
    p: 2
  children:
    - type: mixtransforms.MixUp
    - type: mixtransforms.CutMx
"""


def test_validate_yaml(tmp_path):
    pytest.importorskip("yaml")
    path = written(tmp_path, "wrong.yaml", YAML)
    first, second, end = fails("validate", path).stdout.splitlines()
    assert first.startswith(f"{path}:8: Bad value for 'p' ($.pipeline.args.p): got 2; ")
    assert second.startswith(f"{path}:11: Unknown type ($.pipeline.children[1].type): got 'mixtransforms.CutMx'; ")
    assert "Did you mean 'mixtransforms.CutMix'" in second
    assert end == "2 problems found."
    good = written(tmp_path, "good.yml", YAML.replace("CutMx", "CutMix").replace("p: 2", "p: 0.5"))
    assert succeeds("validate", good) == f"{good}: a pipeline that loads\n"


def test_validate_several_files(tmp_path):
    good = written(tmp_path, "good.json", GOOD)
    wrong = written(tmp_path, "wrong.json", WRONG)
    broken = written(tmp_path, "broken.json", '{\n "a": 1,\n}')
    lines = fails("validate", wrong, good, broken).stdout.splitlines()
    assert [line.split(": ")[0].removeprefix(str(tmp_path))[1:].split(":")[0] for line in lines[:-1]] == [
        *["wrong.json"] * 3,
        "good.json",
        "broken.json",
    ]
    assert "Not JSON (line " in lines[4]
    assert lines[-1] == "4 problems found."


def test_validate_one_problem_of_a_file_is_told_in_the_singular(tmp_path):
    path = written(tmp_path, "wrong.json", {**GOOD, "host": "keras"})
    first, end = fails("validate", path).stdout.splitlines()
    assert "($.host): got 'keras'" in first
    assert end == "1 problem found."


def test_validate_a_file_that_is_not_there(tmp_path):
    result = fails("validate", tmp_path / "nothing.json")
    assert result.stderr == f"Error: {tmp_path / 'nothing.json'}: No such file or directory\n"
    assert result.stdout == "1 problem found.\n"
    (tmp_path / "other.json").write_text("{", encoding="utf-8")
    both = fails("validate", tmp_path / "nothing.json", tmp_path / "other.json").stdout
    assert "other.json:1: Not JSON" in both
    assert "2 problems found." in both
    assert fails("validate", tmp_path).stderr == f"Error: {tmp_path}: Is a directory\n"


def test_validate_what_albumentations_wrote(tmp_path):
    A = pytest.importorskip("albumentations")
    path = tmp_path / "theirs.json"
    A.save(A.Compose([A.HorizontalFlip(p=0.5), A.Blur()]), str(path))
    assert succeeds("validate", path) == f"{path}: a pipeline that loads\n"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["transform"]["transforms"][1]["blurr"] = 3
    result = fails("validate", written(tmp_path, "wrong.json", data))
    assert "($.transform.transforms[1].blurr): got 'blurr'" in result.stdout


EVIL = "\x1b[31mred\x07\x9b2J\r\n\u202e"

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.mark.parametrize(
    "data",
    [
        GOOD | {"host": EVIL},
        GOOD | {"format": EVIL},
        GOOD | {EVIL: 1},
        GOOD | {"written_with": {EVIL: 1}},
        GOOD | {"pipeline": {"type": EVIL}},
        GOOD | {"pipeline": {"type": "mixtransforms." + EVIL}},
        GOOD | {"pipeline": {"type": "mixtransforms.MixUp", "args": {EVIL: 1}}},
        GOOD | {"pipeline": {"type": "mixtransforms.MixUp", "args": {"per": EVIL}}},
        GOOD | {"pipeline": {"type": "mixtransforms.MixUp", "args": {"kinds": {EVIL: EVIL}}}},
        GOOD | {"pipeline": {"type": "mixtransforms.MixUp", "args": {"layout": EVIL}}},
        GOOD | {"pipeline": {"type": "mixtransforms.MixUp", EVIL: 1}},
        GOOD | {"pipeline": EVIL},
        {"__version__": EVIL, "transform": {"__class_fullname__": EVIL, EVIL: EVIL}},
    ],
    ids=range(13),
)
@pytest.mark.parametrize("raw", [False, True], ids=["escaped", "as they are"])
@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_no_control_character_of_a_file_reaches_the_terminal(tmp_path, data, raw, ending):
    if "transform" in data:
        pytest.importorskip("albumentations")
    if ending == "yaml":
        pytest.importorskip("yaml")
    path = written(tmp_path, f"evil.{ending}", json.dumps(data, ensure_ascii=not raw))
    if raw:
        path.write_text(path.read_text(encoding="utf-8").replace("\\u001b", "\x1b"), encoding="utf-8")
    result = fails("validate", path)
    assert CONTROL.findall(result.output) == []
    assert len(result.stdout.splitlines()) >= 2
    assert all(line.startswith(str(path)) for line in result.stdout.splitlines()[:-1])


def test_text_that_is_no_text_is_told_without_it(tmp_path):
    path = tmp_path / "evil.json"
    path.write_bytes(b'{"a\x1b[31m": \x1b\xff}')
    result = fails("validate", path)
    assert CONTROL.findall(result.output) == []
    assert "Not UTF-8" in result.stdout


# Schema.


def test_schema_is_printed_and_written(tmp_path):
    path = tmp_path / "pipeline.schema.json"
    assert succeeds("schema", "-o", path) == f"schema: {path}\n"
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == mixtransforms.json_schema()
    assert succeeds("schema") == text
    assert succeeds("schema", "--output", path) == f"schema: {path}\n"  # again, over the old one
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_schema_into_a_folder_that_is_not_there(tmp_path):
    result = fails("schema", "-o", tmp_path / "no" / "schema.json")
    assert result.stderr.startswith("Error: ")
    assert "No such file or directory" in result.stderr
