"""Files as people write and read them: YAML, without defaults, with short names, and with their usual mistakes."""

import json

import jsonschema
import pytest

import mixtransforms
from mixtransforms import ConfigError, CutMix, MixUp, OneOf, Ramp, files
from mixtransforms.files import check, nodes

HOSTS = ("torchvision", "albumentations", "neutral")


def pipeline(host):
    mix = OneOf([MixUp(0.4, p=Ramp(0, 1, 0, 5)), CutMix()], num_classes=10, kinds={"no": "image", "1e3": "mask"})
    if host == "neutral":
        return mix
    if host == "torchvision":
        pytest.importorskip("torchvision")
        import torch
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose

        steps = [v2.RandomCrop(24), v2.RandomHorizontalFlip(), mix, v2.ToDtype(torch.float32, scale=True)]
        return BatchCompose(steps, seed=0)
    A = pytest.importorskip("albumentations")
    from mixtransforms.albumentations import BatchCompose

    boxes = A.BboxParams("pascal_voc", label_fields=["c"])
    return BatchCompose([A.RandomCrop(24, 24), A.HorizontalFlip(), mix, A.ToTensorV2()], bbox_params=boxes, seed=0)


def envelope(host, node):
    return {"format": "mixtransforms/pipeline", "format_version": 2, "host": host, "pipeline": node}


def problems(data):
    with pytest.raises(ConfigError) as caught:
        mixtransforms.from_dict(data)
    return caught.value.problems


# YAML, and endings.


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("ending", ["yaml", "yml", "YAML"])
@pytest.mark.parametrize("defaults", [True, False])
def test_yaml_comes_back_as_json_does(tmp_path, host, ending, defaults):
    pytest.importorskip("yaml")
    saved, path = pipeline(host), tmp_path / f"pipeline.{ending}"
    mixtransforms.save(saved, path, defaults=defaults)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("format: mixtransforms/pipeline\nformat_version: 2\n")
    assert "{" not in text.splitlines()[0]
    assert mixtransforms.to_json(mixtransforms.load(path)) == mixtransforms.to_json(saved)
    assert check(path) == []


NASTY = {
    "words": ["no", "yes", "on", "null", "~", "", "true", "NaN", ".inf", "y", "N", "-", "---", "a", "_"],
    "numbers": ["1", "1e3", "0x10", "1_000", "1:30", "2027-01-31", ".5", "010"],
    "signs": [
        "a: b",
        "a #b",
        "- a",
        "[",
        "{}",
        "&a",
        "*a",
        "!a",
        "%",
        "@",
        "`",
        "'",
        '"',
        "\\",
        "a,b",
        "? a",
        "|",
        ">",
    ],
    "characters": ["é\n\t\x07", "\u2028", "\u0085", "日本", "😀", " a ", "a\nb", "\ufeff"],
    "values": [1e-06, 0.1, 1e22, -0.0, 2**64 - 1, True, None, [], {}, [[], [{}]]],
    "no": {"yes": 1, "1": 2, "": 3, "a: b": 4},
    "long": "x y " * 500,
}


def test_anything_can_be_noted_in_yaml(tmp_path):
    yaml = pytest.importorskip("yaml")
    path = tmp_path / "a.yaml"
    mixtransforms.save(MixUp(), path, notes=NASTY)
    from mixtransforms.files.parse import parse

    read = parse(path.read_bytes(), yaml=True)
    assert json.dumps(read["notes"]) == json.dumps(NASTY)
    theirs = yaml.safe_load(path.read_text(encoding="utf-8"))  # as other programs read it
    assert json.dumps(theirs["notes"]) == json.dumps(NASTY)


@pytest.mark.parametrize("ending", ["toml", "ini", "txt", "py", "pkl", "pt", "JSON5", "2"])
def test_the_ending_of_another_format_is_refused(tmp_path, ending):
    path = tmp_path / f"pipeline.{ending}"
    with pytest.raises(
        ConfigError, match=r"The ending of another format .*Give it a name that ends in \.json or \.yaml"
    ):
        mixtransforms.save(MixUp(), path)
    assert list(tmp_path.iterdir()) == []
    mixtransforms.save(MixUp(), path.with_suffix(".json"))  # as it says
    mixtransforms.save(MixUp(), path.with_suffix(".yaml"))


@pytest.mark.parametrize("name", ["pipeline", "a.json", "A.JSON", ".hidden"])
def test_json_by_its_ending_or_without_one(tmp_path, name):
    mixtransforms.save(MixUp(0.3), tmp_path / name)
    json.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert mixtransforms.load(tmp_path / name).alpha == 0.3


def test_without_pyyaml_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(mixtransforms.MissingDependencyError, match=r'Writing YAML needs PyYAML.*"pyyaml>='):
        mixtransforms.save(MixUp(), tmp_path / "a.yaml")


# Without defaults.


@pytest.mark.parametrize("host", HOSTS)
def test_a_file_without_defaults_is_short_and_equal(host):
    saved = pipeline(host)
    short, whole = mixtransforms.to_json(saved, defaults=False), mixtransforms.to_json(saved)
    assert len(short) < len(whole) / 2
    again = mixtransforms.from_json(short)
    assert mixtransforms.to_json(again) == whole
    assert mixtransforms.fingerprint(again) == mixtransforms.fingerprint(saved)
    assert mixtransforms.to_json(again, defaults=False) == short


def test_what_is_left_out_is_what_the_constructor_takes():
    assert mixtransforms.to_dict(MixUp(0.2), defaults=False)["pipeline"] == {"type": "mixtransforms.MixUp"}
    assert mixtransforms.to_dict(MixUp(0.3), defaults=False)["pipeline"]["args"] == {"alpha": 0.3}
    node = mixtransforms.to_dict(OneOf([MixUp(), CutMix()], seed=0), defaults=False)["pipeline"]
    assert node["args"] == {"seed": 0}
    assert node["children"] == [{"type": "mixtransforms.MixUp"}, {"type": "mixtransforms.CutMix"}]


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_without_defaults_another_release_of_the_host_is_asked_for(host):
    """Its defaults may have changed; ours keep their meaning."""
    data = mixtransforms.to_dict(pipeline(host), defaults=False)
    data["written_with"][host] = "0.0.1"
    found = problems(data)
    assert all(problem.what == "Would mean something else with the installed version" for problem in found)
    flip = next(i for i, child in enumerate(data["pipeline"]["children"]) if "HorizontalFlip" in child["type"])
    assert f"$.pipeline.children[{flip}].args.p" in [problem.path for problem in found]
    assert not [problem for problem in found if problem.path.startswith("$.pipeline.args")]
    del data["written_with"]  # as the text says
    assert "remove 'written_with'" in found[0].fix
    assert mixtransforms.to_json(mixtransforms.from_dict(data)) == mixtransforms.to_json(pipeline(host))


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_code_of_a_pipeline_has_no_empty_defaults(host):
    assert "={}" not in repr(pipeline(host))


# Short names.


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_short_names_are_read(host):
    data = mixtransforms.to_dict(pipeline(host))
    text = json.dumps(data["pipeline"]).replace(f'"type": "{host}.', '"type": "').replace('"mixtransforms.', '"')
    assert f"{host}." not in text
    read = mixtransforms.from_dict({**data, "pipeline": json.loads(text)})
    assert mixtransforms.to_json(read) == mixtransforms.to_json(pipeline(host))
    jsonschema.Draft202012Validator(mixtransforms.json_schema()).validate({**data, "pipeline": json.loads(text)})


def test_short_names_are_ours_first():
    torchvision = pytest.importorskip("mixtransforms.torchvision")
    node = {"type": "Compose", "children": [{"type": "MixUp"}, {"type": "OneOf", "children": [{"type": "CutMix"}]}]}
    read = mixtransforms.from_dict(envelope("torchvision", node))
    assert [type(each) for each in read.transforms] == [torchvision.MixUp, torchvision.OneOf]


def test_a_class_of_ones_own_has_no_short_name():
    class Mine(MixUp):
        pass

    node = {"type": "Mine"}
    with pytest.raises(ConfigError, match="Unknown type"):
        mixtransforms.from_dict(envelope("neutral", node), allow=[Mine])
    assert type(mixtransforms.from_dict(envelope("neutral", {"type": "custom.Mine"}), allow=[Mine])) is Mine


@pytest.mark.parametrize("spelling", ["mixup", "v2.RandomCrop", "A.RandomCrop", ".MixUp", "OneOf.MixUp"])
def test_other_spellings_are_not_read(spelling):
    assert problems(envelope("neutral", {"type": spelling}))[0].what == "Unknown type"


# Files without a header, or of another host.


def node(host, wrong=False):
    step = {"torchvision": {"size": 24}, "albumentations": {"height": 24, "width": 24}}[host]
    mix = {"type": "mixtransforms.CutMix", "args": {"nclasses" if wrong else "num_classes": 10}}
    children = [{"type": f"{host}.RandomCrop", "args": step}, mix]
    return {"type": "mixtransforms.BatchCompose", "children": children}


def needs(host):
    pytest.importorskip(host, reason=f"{host} is not installed")


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_a_file_without_a_header(host):
    needs(host)
    first, second = problems({"pipeline": node(host, wrong=True)})
    assert (first.path, first.what) == ("$.format", "No header")
    assert (second.path, second.what) == ("$.pipeline.children[1].args.nclasses", "Unknown argument")
    added = json.loads("{" + first.fix.removeprefix("Add ").removesuffix(".") + "}")  # as it says
    mixtransforms.from_dict({**added, "pipeline": node(host)})


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_a_transform_without_the_rest_of_the_file(host):
    needs(host)
    first, second = problems(node(host, wrong=True))
    assert first.what == "No header"
    assert second.path == "$.children[1].args.nclasses"
    assert first.fix.startswith('Write the whole as the value of "pipeline", and beside it ')
    added = json.loads("{" + first.fix.partition("beside it ")[2].removesuffix(".") + "}")
    mixtransforms.from_dict({**added, "pipeline": node(host)})


def test_a_single_mix_without_a_header():
    (problem,) = problems({"type": "mixtransforms.MixUp"})
    assert '"host": "neutral"' in problem.fix


@pytest.mark.parametrize("key", ["format_version", "host"])
def test_a_part_of_the_header_that_is_missing(key):
    needs("torchvision")
    data = envelope("torchvision", node("torchvision", wrong=True))
    del data[key]
    first, second = problems(data)
    assert first.path == f"$.{key}"
    assert second.what == "Unknown argument"
    added = json.loads("{" + first.fix.removeprefix("Add ").removesuffix(".") + "}")
    good = {**data, **added, "pipeline": node("torchvision")}
    mixtransforms.from_dict(good)


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
@pytest.mark.parametrize("said", HOSTS)
def test_types_of_another_host_are_one_problem(host, said):
    needs("torchvision")
    needs("albumentations")
    if said == host:
        return
    (problem,) = problems(envelope(said, node(host)))
    assert (problem.path, problem.what, problem.fix) == ("$.host", "Types of another host", f'Write "host": "{host}".')
    mixtransforms.from_dict(envelope(host, node(host)))  # as it says
    first, second = problems(envelope(said, node(host, wrong=True)))
    assert first.path == "$.host"
    assert second.path == "$.pipeline.children[1].args.nclasses"


def test_types_of_both_hosts_are_told_one_by_one():
    needs("torchvision")
    both = node("torchvision")
    both["children"].insert(0, {"type": "albumentations.HorizontalFlip"})
    (problem,) = problems(envelope("torchvision", both))
    assert problem.path == "$.pipeline.children[0].type"


def test_a_pipeline_of_no_host_says_what_to_write():
    (problem,) = problems(envelope("neutral", {"type": "mixtransforms.BatchCompose", "children": []}))
    assert problem.fix == 'Write "host": "torchvision" or "host": "albumentations".'


@pytest.mark.parametrize("data", [{}, {"notes": 1}, [], 3, "pipeline", {"format": "other", "pipeline": {}}])
def test_what_is_no_pipeline_at_all_is_one_problem(data):
    (problem,) = problems(data) if isinstance(data, dict) else document_problems(data)
    assert problem.what == "Not a pipeline file"


def document_problems(data):
    with pytest.raises(ConfigError) as caught:
        mixtransforms.from_json(json.dumps(data))
    return caught.value.problems


def test_a_newer_file_is_not_looked_into():
    data = envelope("neutral", {"type": "mixtransforms.NewMix"}) | {"format_version": 99}
    (problem,) = problems(data)
    assert "newer mixtransforms" in problem.fix


def test_an_old_file_without_a_host_is_read_as_it_was_written():
    needs("torchvision")
    tagged = {"type": "torchvision.ToDtype", "args": {"dtype": {"dtype": "float32"}, "scale": True}}
    data = {"format": "mixtransforms/pipeline", "format_version": 1, "pipeline": tagged}
    (problem,) = problems(data)
    assert (problem.path, problem.fix) == ("$.host", 'Add "host": "torchvision".')
    mixtransforms.from_dict(data | {"host": "torchvision"})


def test_validate_tells_it_with_lines(tmp_path):
    needs("torchvision")
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"pipeline": node("torchvision", wrong=True)}, indent=1), encoding="utf-8")
    (_, header), (line, argument) = files.check(path)
    assert header.startswith("No header ($.format)")
    assert "nclasses" in path.read_text(encoding="utf-8").splitlines()[line - 1]
    assert "Did you mean 'num_classes'" in argument


def test_defaults_are_compared_by_value_and_type():
    argument = next(iter(files.registry.codec_of("neutral").entries.values())).arguments["num_classes"]
    assert nodes.has_default(argument, None)
    assert not nodes.has_default(argument, 0)
