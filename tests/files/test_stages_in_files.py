"""``Otherwise`` and ``PerBatch`` in files, in the schema, and in what is told of pipelines."""

import importlib
import json
import re

import numpy as np
import pytest

import mixtransforms
from mixtransforms.files.describe import describe, description_lines, types

HOSTS = ("torchvision", "albumentations")


def door_and_host(host):
    module = {"torchvision": "torchvision.transforms.v2", "albumentations": "albumentations"}[host]
    own = pytest.importorskip(module, reason=f"{host} is not installed")
    return importlib.import_module(f"mixtransforms.{host}"), own


def pipeline(host):
    door, own = door_and_host(host)
    if host == "torchvision":
        recipe = [own.RandomZoomOut(p=0.5), own.SanitizeBoundingBoxes(), own.Resize((16, 24))]
        sizes = [own.RandomChoice([own.Resize((12, 18)), own.Resize((24, 36))])]
        first = own.RandomHorizontalFlip()
    else:
        recipe = [own.RandomScale(0.5), own.Resize(16, 24)]
        sizes = [own.OneOf([own.Resize(12, 18), own.Resize(24, 36)], p=1.0)]
        first = own.HorizontalFlip()
    steps = [first, door.CutMix(p=0.5), door.Otherwise(recipe), door.PerBatch(sizes)]
    return door.BatchCompose(steps, seed=3)


def result(made):
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 24, 3), dtype=np.uint8)
    if "torchvision" in type(made).__module__:
        import torch

        return made(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy().tobytes()
    return made(images=images)["images"].tobytes()


@pytest.mark.parametrize("ending", ["json", "yaml"])
@pytest.mark.parametrize("host", HOSTS)
def test_they_come_back_equal(host, ending, tmp_path):
    original, path = pipeline(host), tmp_path / f"pipeline.{ending}"
    mixtransforms.save(original, path)
    again = mixtransforms.load(path)
    assert repr(again) == repr(original)
    assert mixtransforms.to_dict(again) == mixtransforms.to_dict(original)
    assert mixtransforms.fingerprint(again) == mixtransforms.fingerprint(original)
    assert result(again) == result(original) == result(pipeline(host))
    assert [stage.kind for stage in again._stages] == ["sample", "mix", "otherwise", "alike"]
    mixtransforms.save(original, path, defaults=False)
    assert repr(mixtransforms.load(path)) == repr(original)


@pytest.mark.parametrize("host", HOSTS)
def test_they_are_code_that_builds_them(host):
    door, own = door_and_host(host)
    original = pipeline(host)
    names = {"v2": own, "A": own, **{name: getattr(door, name) for name in door.__all__}}
    for each in (original, *original.transforms[2:]):
        assert mixtransforms.to_dict(eval(repr(each), names)) == mixtransforms.to_dict(each)


def test_the_hosts_own_files():
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    original = pipeline("albumentations")
    again = A.from_dict(json.loads(json.dumps(A.to_dict(original))))
    assert repr(again) == repr(original)
    assert repr(mixtransforms.from_dict(A.to_dict(original))) == repr(original)


@pytest.mark.parametrize("host", HOSTS)
def test_written_by_hand_with_short_names(host):
    door_and_host(host)
    flip = {"type": "RandomHorizontalFlip" if host == "torchvision" else "HorizontalFlip"}
    text = mixtransforms.from_dict(
        {
            "format": "mixtransforms/pipeline",
            "format_version": 2,
            "host": host,
            "pipeline": {
                "type": "BatchCompose",
                "children": [
                    {"type": "CutMix", "args": {"p": 0.5}},
                    {"type": "Otherwise", "children": [flip]},
                    {"type": "PerBatch", "children": [flip, flip]},
                ],
            },
        }
    )
    assert [type(step).__name__ for step in text.transforms] == ["CutMix", "Otherwise", "PerBatch"]
    assert len(text.transforms[2].transforms) == 2


def node(name, *children):
    return {"type": f"mixtransforms.{name}", "children": list(children)}


MIX = node("CutMix") | {"children": None}
del MIX["children"]
NOOP = {"torchvision": {"type": "torchvision.Identity"}, "albumentations": {"type": "albumentations.NoOp"}}
HOSTILE = {
    "in itself": (lambda noop: [MIX, node("Otherwise", node("Otherwise", noop))], "children[1]", "for a batch inside"),
    "empty": (lambda _: [MIX, node("Otherwise")], "children[1]", "an empty list"),
    "empty args": (lambda _: [MIX, node("PerBatch") | {"args": {}}], "children[1]", "an empty list"),
    "a mix inside": (lambda noop: [MIX, node("Otherwise", noop, MIX)], "children[1]", "got CutMix"),
    "a choice of mixes inside": (lambda _: [MIX, node("PerBatch", node("OneOf", MIX))], "children[1]", "got OneOf"),
    "a pipeline inside": (lambda noop: [MIX, node("PerBatch", node("BatchCompose", noop))], "children[1]", "BatchComp"),
    "first": (lambda noop: [node("Otherwise", noop), MIX], "args", "Otherwise without a mix"),
    "no mix": (lambda noop: [noop, node("Otherwise", noop)], "args", "Otherwise without a mix"),
    "twice": (lambda noop: [MIX, node("Otherwise", noop), node("Otherwise", noop)], "args", "into one Otherwise"),
    "an argument": (lambda noop: [MIX, node("Otherwise", noop) | {"args": {"q": 1}}], "children[1].args.q", "Unknown"),
    "no list": (lambda noop: [MIX, node("Otherwise") | {"children": noop}], "children[1].children", "No children"),
    "the other host": (lambda _: [MIX, node("Otherwise", {"type": "keras.Flip"})], "children[1].children[0]", "Unkno"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("host", HOSTS)
def test_hostile_files_are_refused_by_their_place(host, case):
    door_and_host(host)
    children, place, message = HOSTILE[case]
    root = node("BatchCompose", *children(NOOP[host]))
    head = {"format": "mixtransforms/pipeline", "format_version": 2, "host": host}
    with pytest.raises(mixtransforms.ConfigError, match=re.escape(f"$.pipeline.{place}")) as found:
        mixtransforms.from_dict(head | {"pipeline": root})
    assert message in str(found.value)


def test_a_tower_of_them_ends():
    door_and_host("torchvision")
    tower = NOOP["torchvision"]
    for _ in range(40):
        tower = node("Otherwise", tower)
    head = {"format": "mixtransforms/pipeline", "format_version": 2, "host": "torchvision"}
    with pytest.raises(mixtransforms.ConfigError, match="Beyond a limit"):
        mixtransforms.from_dict(head | {"pipeline": node("BatchCompose", MIX, tower)})


@pytest.mark.parametrize("name", ["Otherwise", "PerBatch"])
def test_what_is_told_of_them(name):
    found = {listed.name: listed for listed in types()}[f"mixtransforms.{name}"]
    assert set(found.hosts) <= set(HOSTS)
    assert found.summary.startswith("Transforms ")
    told = describe(name)
    assert [each.name for each in told] == (
        [f"mixtransforms.{name}, in a pipeline of {host}" for host in found.hosts]
        if len(found.hosts) > 1
        else [f"mixtransforms.{name}"]
    )
    text = "\n".join(description_lines(told[0]))
    assert "children: transforms of the same host" in text
    assert "Args:" not in text


@pytest.mark.parametrize("host", HOSTS)
def test_the_diagram_shows_them(host):
    text = pipeline(host)._repr_html_()
    assert "samples left alone by the mix" in text
    assert "all with the same draws" in text
    assert all(name in text for name in ("Otherwise", "PerBatch", "Resize"))
    door, own = door_and_host(host)
    flip = own.HorizontalFlip() if host == "albumentations" else own.RandomHorizontalFlip()
    assert "all with the same draws" in door.BatchCompose([door.PerBatch([flip]), door.MixUp()])._repr_html_()
