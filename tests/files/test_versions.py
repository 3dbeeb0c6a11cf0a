"""Files of every released format and of other versions of the hosts: they mean what they say, or are refused by name.

``released/`` is kept for ever. ``format-1`` and ``format-2`` hold the same pipelines; the other files were written by the
version of the host that their name tells, with its own code.
"""

import copy
import importlib.metadata
import itertools
import json
import re
from pathlib import Path

import pytest

import mixtransforms
from mixtransforms.files import check, migrations
from mixtransforms.files.parse import parse

RELEASED = Path(__file__).parent / "released"

HOSTS = ("torchvision", "albumentations", "neutral")

OURS = [f"torchvision-{version}.json" for version in ("0.26", "0.28")]

THEIRS = [
    f"albumentations-{version}.{ending}" for version in ("1.4.24", "2.0.0", "2.0.8") for ending in ("json", "yaml")
]


def needs(host):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")


def text(*names):
    return RELEASED.joinpath(*names).read_text(encoding="utf-8")


def data(*names):
    return parse(text(*names), yaml=names[-1].endswith("yaml"))


def without_versions(written):
    return {key: value for key, value in written.items() if key != "written_with"}


def installed(host):
    return importlib.metadata.version(host)


def only_with(host, version):
    if installed(host) != version:
        pytest.skip(f"the differences are those between {host} {version} and the file; {installed(host)} is installed")


# Formats of ours.


def test_every_format_has_its_files():
    formats = sorted(path.name for path in RELEASED.glob("format-*"))
    assert formats == [f"format-{number}" for number in range(1, migrations.VERSION + 1)]
    assert set(migrations.FORMAT_STEPS) == set(range(1, migrations.VERSION))
    for number in range(1, migrations.VERSION + 1):
        for host in HOSTS:
            assert data(f"format-{number}", f"{host}.json")["format_version"] == number


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("number", range(1, migrations.VERSION))
def test_an_older_format_loads_as_what_it_was(host, number):
    needs(host)
    old = mixtransforms.load(RELEASED / f"format-{number}" / f"{host}.json")
    today = mixtransforms.load(RELEASED / f"format-{migrations.VERSION}" / f"{host}.json")
    assert type(old) is type(today)
    assert without_versions(mixtransforms.to_dict(old)) == without_versions(mixtransforms.to_dict(today))
    assert mixtransforms.fingerprint(old) == mixtransforms.fingerprint(today)


@pytest.mark.parametrize("host", HOSTS)
def test_the_format_of_today_is_stable_to_the_byte(host):
    needs(host)
    content = text(f"format-{migrations.VERSION}", f"{host}.json")
    versions = json.loads(content)["written_with"]
    if host != "neutral" and installed(host) != versions[host]:
        pytest.skip(f"it was written with {host} {versions[host]}; {installed(host)} is installed")
    line = re.compile(r'^  "written_with": .*\n', re.MULTILINE)
    assert line.search(content)
    written = mixtransforms.to_json(mixtransforms.from_json(content))
    assert line.sub("", written) == line.sub("", content)


# Migrations.


@pytest.mark.parametrize("host", HOSTS)
def test_migrations_leave_their_input_as_it_was(host):
    given = data("format-1", f"{host}.json")
    before = copy.deepcopy(given)
    made = migrations.migrated(given)
    assert given == before
    assert made["format_version"] == migrations.VERSION
    expected = data(f"format-{migrations.VERSION}", f"{host}.json")
    if host != "neutral":
        assert [node["type"] for node in made["pipeline"]["children"]] == [
            node["type"] for node in expected["pipeline"]["children"]
        ]
    if host == "torchvision":
        assert made["pipeline"] == expected["pipeline"]


@pytest.mark.parametrize("name", THEIRS)
def test_taking_over_a_file_of_albumentations_leaves_it_as_it_was(name):
    pytest.importorskip("yaml")
    given = data(name)
    before = copy.deepcopy(given)
    made = migrations.from_albumentations(given)
    assert given == before
    assert made["written_with"] == {"albumentations": given["__version__"]}
    assert made["pipeline"]["args"].keys() >= {"bbox_params", "keypoint_params", "additional_targets", "seed"}


def tagged(*values):
    return [{"type": "torchvision.Pad", "args": {"padding": 1, "fill": value}} for value in values]


def test_tags_of_format_1_go_wherever_they_stand():
    node = {
        "type": "torchvision.Pad",
        "args": {"fill": {"by_type": [["Image", {"enum": "X", "value": 3}], ["others", [1]]]}},
    }
    deep = {"type": "torchvision.Compose", "children": [{"type": "torchvision.RandomApply", "children": [node]}]}
    made = migrations.from_1({"format_version": 1, "pipeline": deep})["pipeline"]
    assert made["children"][0]["children"][0]["args"] == {"fill": {"Image": 3, "others": [1]}}


ODD = [None, True, 3, "x", [], {}, [[]], {"x": 1}, [None], {"enum": "X"}, {"by_type": 3}, {"by_type": [["Image"]]}]
ODD += [
    {"by_type": [[3, 4]]},
    {"dtype": []},
    {"dtype": {"dtype": "float32"}},
    {"enum": 1, "value": {"enum": 2, "value": 3}},
]


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_nothing_odd_in_an_older_file_is_more_than_refused(odd):
    needs("torchvision")
    head = {"format": "mixtransforms/pipeline", "format_version": 1, "host": "torchvision"}
    files = [
        odd,
        head,
        head | {"pipeline": odd},
        head | {"pipeline": {"type": odd}},
        head | {"pipeline": {"type": "torchvision.Pad", "args": odd}},
        head | {"pipeline": {"type": "torchvision.Compose", "children": odd}},
        head | {"pipeline": {"type": "torchvision.Compose", "children": [odd]}},
        head | {"pipeline": {"args": odd, "children": [{"children": [odd]}]}},
        head | {"pipeline": {"type": "torchvision.Compose", "children": tagged(odd)}},
        head | {"pipeline": {"type": "mixtransforms.BatchCompose", "args": {"seed": odd}}},
    ]
    for file in files:
        before = copy.deepcopy(file)
        if isinstance(file, dict) and "format" in file:
            migrations.from_1(file)
        loads_or_is_refused(file)
        assert file == before


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_nothing_odd_in_a_file_of_albumentations_is_more_than_refused(odd):
    needs("albumentations")
    for version, transform in itertools.product(
        ({"__version__": odd}, {"__version__": "2.0.8"}, {}),
        (
            odd,
            {"__class_fullname__": odd},
            {"__class_fullname__": "Compose", "transforms": odd},
            {"__class_fullname__": "Compose", "transforms": [odd]},
            {"__class_fullname__": "Compose", "transforms": [], "bbox_params": odd},
            {"__class_fullname__": "HorizontalFlip", "p": odd},
            {"transforms": odd},
        ),
    ):
        file = version | {"transform": transform}
        before = copy.deepcopy(file)
        loads_or_is_refused(file)
        assert file == before


def loads_or_is_refused(file):
    try:
        pipeline = mixtransforms.from_dict(file)
    except mixtransforms.ConfigError:
        return
    mixtransforms.to_dict(pipeline)


# Other versions of the hosts.


def problems(path):
    """What is wrong with a file: the place, what it has, and the rest of the words."""
    found = {}
    for line, said in check(path):
        match = re.search(r" \((\$[^)]*)\): got (.*); wanted ", said, re.DOTALL)
        found[match[1]] = (line, match[2], said)
    return found


def says(node, now):
    """Every argument of a file means now what the file says."""
    assert node["type"] == now["type"]
    for name, value in now["args"].items():
        assert node["args"][name] == value, f"{node['type']}.{name}"
    assert node["args"].keys() == now["args"].keys()
    assert len(node.get("children", [])) == len(now.get("children", []))
    for child, twin in zip(node.get("children", []), now.get("children", []), strict=True):
        says(child, twin)


@pytest.mark.parametrize("name", OURS)
def test_files_of_other_versions_of_torchvision(name):
    needs("torchvision")
    written = data(name)
    assert written["written_with"]["torchvision"].startswith(re.search(r"\d+\.\d+", name)[0])
    assert len(written["pipeline"]["children"]) > 20
    found = problems(RELEASED / name)
    if installed("torchvision").startswith("0.29"):
        assert found == {}
    if not found:
        says(written["pipeline"], mixtransforms.to_dict(mixtransforms.load(RELEASED / name))["pipeline"])
    for _, _, said in found.values():
        assert written["written_with"]["torchvision"] in said
        assert installed("torchvision") in said


NEW_SINCE = [
    "$.transform.bbox_params.max_accept_ratio",
    "$.transform.transforms[0].area_for_downscale",
    "$.transform.transforms[11].area_for_downscale",
]
"""Arguments that 2.0.8 has, and the two older versions had not."""


@pytest.mark.parametrize("name", [name for name in THEIRS if "2.0.8" not in name])
def test_files_of_other_versions_of_albumentations(name):
    needs("albumentations")
    pytest.importorskip("yaml")
    only_with("albumentations", "2.0.8")
    version = data(name)["__version__"]
    assert f"-{version}." in name
    found = problems(RELEASED / name)
    assert list(found) == NEW_SINCE
    for line, got, said in found.values():
        assert got == "nothing, which is None now"
        assert f"written with albumentations '{version}'; 2.0.8 is installed" in said
        if name.endswith("yaml"):
            assert line > 1
    with pytest.raises(mixtransforms.ConfigError, match=r"2 more; `mixtransforms validate`"):
        mixtransforms.load(RELEASED / name)


@pytest.mark.parametrize("name", [name for name in THEIRS if "2.0.8" in name])
def test_files_of_the_installed_albumentations(name):
    """Its PadIfNeeded writes an argument of its base class, which its own constructor skips with a warning."""
    needs("albumentations")
    pytest.importorskip("yaml")
    only_with("albumentations", "2.0.8")
    pipeline = mixtransforms.load(RELEASED / name)
    file = data(name)
    assert file["transform"]["transforms"][10].pop("padding") == 0
    assert "filter_invalid_bboxes" not in file["transform"]["bbox_params"]  # which A.save leaves out
    says(migrations.from_albumentations(file)["pipeline"], mixtransforms.to_dict(pipeline)["pipeline"])
    file["transform"]["transforms"][0]["padding"] = 0  # of a class whose bases do not take it
    with pytest.raises(
        mixtransforms.ConfigError, match=r"Unknown argument \(\$\.transform\.transforms\[0\]\.padding\)"
    ):
        mixtransforms.from_dict(file)


def test_both_endings_of_one_version_say_the_same():
    pytest.importorskip("yaml")
    for one, other in zip(THEIRS[::2], THEIRS[1::2], strict=True):
        assert data(one) == data(other)


@pytest.mark.parametrize("name", [name for name in THEIRS if "2.0.8" not in name])
def test_a_corrected_file_of_another_version_loads_as_what_it_says(name):
    """What the error asks for: every difference written out, and no version."""
    needs("albumentations")
    pytest.importorskip("yaml")
    only_with("albumentations", "2.0.8")
    file = data(name)
    transform = file["transform"]
    transform["bbox_params"] |= {"filter_invalid_bboxes": False, "max_accept_ratio": None}
    for index in (0, 11):
        transform["transforms"][index]["area_for_downscale"] = None
    made = migrations.from_albumentations(file)
    says(made["pipeline"], mixtransforms.to_dict(mixtransforms.from_dict(file))["pipeline"])


# Files of today under another version.


def under(file, host, version="0.0.1"):
    return file | {"written_with": {host: version}}


def torchvision_file(**args):
    jitter = {"brightness": [0.75, 1.25], "contrast": None, "saturation": None, "hue": None} | args
    children = [
        {"type": "torchvision.RandomInvert", "args": {"p": 0.5}},
        {"type": "torchvision.ColorJitter", "args": jitter},
    ]
    pipeline = {"type": "mixtransforms.BatchCompose", "args": {"seed": 1}, "children": children}
    return {"format": "mixtransforms/pipeline", "format_version": 2, "host": "torchvision", "pipeline": pipeline}


def less(file, index, name):
    file = copy.deepcopy(file)
    del file["pipeline"]["children"][index]["args"][name]
    return file


@pytest.mark.parametrize("host", HOSTS)
def test_a_file_of_another_version_that_says_everything_loads(host):
    needs(host)
    file = data("format-2", f"{host}.json")
    expected = without_versions(mixtransforms.to_dict(mixtransforms.from_dict(without_versions(file))))
    assert without_versions(mixtransforms.to_dict(mixtransforms.from_dict(under(file, host)))) == expected


def test_what_another_version_has_not_written_is_refused_by_name():
    needs("torchvision")
    for index, name, value in ((0, "p", "0.5"), (1, "hue", "None")):
        file = less(torchvision_file(), index, name)
        mixtransforms.from_dict(file)
        mixtransforms.from_dict(under(file, "torchvision", installed("torchvision")))
        mixtransforms.from_dict(under(file, "mixtransforms"))
        place = re.escape(f"($.pipeline.children[{index}].args.{name})")
        versions = re.escape(f"written with torchvision '0.0.1'; {installed('torchvision')} is installed")
        with pytest.raises(mixtransforms.ConfigError, match=f"{place}: got nothing, which is {value} now.*{versions}"):
            mixtransforms.from_dict(under(file, "torchvision"))


def test_what_a_constructor_puts_otherwise_is_refused_of_another_version():
    needs("torchvision")
    file = torchvision_file(brightness=0.25)
    again = mixtransforms.to_dict(mixtransforms.from_dict(file))["pipeline"]["children"][1]["args"]
    assert again["brightness"] == [0.75, 1.25]
    with pytest.raises(
        mixtransforms.ConfigError, match=r"\(\$\.pipeline\.children\[1\]\.args\.brightness\): got 0\.25, which"
    ):
        mixtransforms.from_dict(under(file, "torchvision"))


def test_every_difference_is_told(tmp_path):
    needs("torchvision")
    file = less(less(torchvision_file(brightness=0.25), 1, "contrast"), 0, "p")
    path = tmp_path / "old.json"
    path.write_text(json.dumps(under(file, "torchvision"), indent=1), encoding="utf-8")
    places = [
        f"$.pipeline.children[{index}].args.{name}" for index, name in ((0, "p"), (1, "brightness"), (1, "contrast"))
    ]
    assert sorted(problems(path)) == sorted(places)
    mixtransforms.from_dict(file)


def test_arguments_that_the_installed_version_does_not_have_are_told_with_both_versions():
    needs("torchvision")
    file = torchvision_file(gamma=1)
    with pytest.raises(mixtransforms.ConfigError, match=r"args\.gamma\): got 'gamma'") as plain:
        mixtransforms.from_dict(file)
    assert "is installed" not in str(plain.value)
    with pytest.raises(
        mixtransforms.ConfigError, match=r"args\.gamma\): got 'gamma'.*torchvision '0\.0\.1'; .* is installed"
    ):
        mixtransforms.from_dict(under(file, "torchvision"))


def test_synthetic_files_of_albumentations():
    needs("albumentations")
    import albumentations as A

    file = json.loads(json.dumps(A.to_dict(A.Compose([A.HorizontalFlip(p=0.25), A.Rotate((-15, 15), p=0.5)]))))
    other = file | {"__version__": "1.0"}
    mixtransforms.from_dict(other)
    del other["transform"]["transforms"][1]["crop_border"]
    with pytest.raises(
        mixtransforms.ConfigError, match=r"\(\$\.transform\.transforms\[1\]\.crop_border\): got nothing.*'1\.0'"
    ):
        mixtransforms.from_dict(other)
    mixtransforms.from_dict(file | {"transform": other["transform"]})  # of the version that is installed
    other["transform"]["transforms"][1] |= {"crop_border": False, "limit": 15}
    with pytest.raises(mixtransforms.ConfigError, match=r"\(\$\.transform\.transforms\[1\]\.limit\): got 15, which"):
        mixtransforms.from_dict(other)
    mixtransforms.from_dict(file | {"transform": other["transform"]})  # of the version that is installed
