"""Inputs that once came back wrong without an error: each is mixed correctly now, or refused by name."""

import types
from collections import deque

import numpy as np
import pytest

import mixtransforms
from mixtransforms import CutMix, InputError, MixUp

X = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)
IDS = np.arange(4)


@pytest.mark.parametrize(
    "labels",
    [["cat", "dog", "cat", "dog"], range(4), deque(range(4)), 3],
    ids=lambda value: type(value).__name__,
)
def test_labels_that_are_no_array(labels):
    with pytest.raises(InputError, match=r"No array \(batch\[.*\]\): got .*passthrough="):
        MixUp(num_classes=4)((X, labels))
    with pytest.raises(InputError, match=r"No array \(batch\['label'\]"):
        MixUp(num_classes=4)({"image": X, "label": labels})


def test_a_sample_without_a_label():
    for batch, place in (
        ((X, [0, None, 2, 3]), r"batch\[1\]\[1\]"),
        ({"image": X, "label": [0, 1, 2, None]}, r"\['label'\]\[3\]"),
    ):
        with pytest.raises(InputError, match=rf"A sample without a value \(.*{place}\): got None; .*passthrough="):
            MixUp(num_classes=4)(batch)


@pytest.mark.parametrize("hidden", [deque([X]), {"a": (deque([X, X]),)}, frozenset()], ids=["deque", "nested", "empty"])
def test_arrays_in_containers_that_are_not_walked(hidden):
    batch = {"image": X, "other": hidden}
    if hidden == frozenset():
        assert MixUp()(batch)["other"] is hidden
        return
    with pytest.raises(InputError, match=r"No array \(batch\['other'\].*deque"):
        MixUp()(batch)


def test_misspelt_labels():
    with pytest.raises(InputError, match=r"neither known nor declared \(batch\['lables'\]\).*Did you mean 'labels'"):
        MixUp()({"image": X, "lables": [0, 1, 2, 3]})
    assert MixUp(passthrough="lables")({"image": X, "lables": [0, 1, 2, 3]})["lables"] == [0, 1, 2, 3]
    assert MixUp()({"image": X, "size": (8, 8)})["size"] == (8, 8)


@pytest.mark.parametrize("name", ["lables", "lable", "Tagret", "clas", "class_id", "klass"])
@pytest.mark.parametrize("value", [1, 1.0, True, [0.0, 1.0]], ids=["id", "float", "bool", "row"])
def test_misspelt_labels_in_records(name, value):
    """Labels that are known nowhere, and a plain number of every sample under a name that is nearly theirs."""
    records = [{name: value, "path": "a"} for _ in X]
    message = rf"neither known nor declared \(batch\[1\]\['{name}'\]\).*passthrough=\('{name}',\).*Did you mean '"
    for given in ((X, records), (X, tuple(records)), list(zip(X, records, strict=True))):
        with pytest.raises(InputError, match=message):
            MixUp()(given)
    assert MixUp(passthrough=name)((X, records))[1] == records
    assert MixUp(num_classes=2, kinds={name: "label"})((X, [{name: 1}] * 4))[1][0][name].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "name", ["width", "angle", "index", "frame", "scale", "stage", "x1", "y1", "table", "age", "flag", "target_size"]
)
def test_other_numbers_in_records_are_the_samples_own(name):
    records = [{name: number} for number in range(4)]
    assert MixUp()((X, records))[1] == records


def test_numbers_beside_known_labels_are_the_samples_own():
    records = [{"label": number, "label_id": number} for number in range(4)]
    assert [each["label_id"] for each in MixUp(num_classes=4)((X, records))[1]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bboxes", r"Boxes of another form \(batch\['bboxes'\]\[0\]\): got shape \(4,\); wanted \(N, 4\), xyxy"),
        (
            "keypoints",
            r"Keypoints of another form \(batch\['keypoints'\]\[0\]\): got list of length 4; wanted \(P, 2\)",
        ),
        ("masks", r"another size than the images \(batch\['masks'\]\): got shape \(4, 4\); wanted .*\(8, 8\)"),
        ("instance_masks", r"Instance masks of another size \(batch\['instance_masks'\]\[0\]\): .*\(N, 8, 8\)"),
        ("attention_mask", r"padding is of other sequences \(batch\['attention_mask'\]\): got shape \(4, 4\)"),
    ],
)
def test_targets_of_another_form(name, message):
    """One box for every image, and not a row for each of its boxes, could be anything: it is never guessed."""
    boxes = [[0, 0, 5, 5]] * 4
    with pytest.raises(InputError, match=message):
        MixUp()({"image": X, name: boxes})
    assert MixUp(passthrough=name)({"image": X, name: boxes})[name] is boxes


def test_what_stands_beside_boxes_is_not_left_behind():
    """A value with a row for every box that is no known field would no longer fit the boxes."""
    counts = (1, 2, 1, 0)
    batch = {
        "image": X,
        "bboxes": [np.array([[0, 0, 5, 5]] * count, np.float32).reshape(-1, 4) for count in counts],
        "colours": [np.arange(count) for count in counts],
    }
    names = {**batch, "colours": [["red"] * count for count in counts]}
    message = r"neither known nor declared \(batch\['colours'\].*BoxRules\(fields=\('colours',\)\)"
    with pytest.raises(InputError, match=message):
        MixUp()(batch)
    with pytest.raises(InputError, match=message):
        MixUp()(names)
    for given in (batch, names):
        out = MixUp(boxes=mixtransforms.BoxRules(fields="colours"))(given)
        assert list(map(len, out["colours"])) == list(map(len, out["bboxes"]))


def test_one_hot_lists_are_rows():
    samples = [{"image": x, "label": [1.0, 0.0, 0.0]} for x in X[:3]]
    np.testing.assert_array_equal(MixUp(p=0.0)(samples)["label"], np.eye(3)[[0, 0, 0]])


def test_columns_of_default_collation_are_refused():
    columns = [np.array([1.0, 1.0, 1.0]), np.zeros(3), np.zeros(3)]
    with pytest.raises(InputError, match=r"Rows or columns .*3 arrays of shape \(3,\)"):
        MixUp()({"image": X[:3], "label": columns})


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([[3], [7], [1], [9]]), "not one-hot"),
        (np.array([[0, 2]] * 4), "not one-hot"),
        (np.array([[1, -1]] * 4), "not one-hot"),
        (np.array(["1", "2", "3", "4"]), "Not class labels"),
        (np.arange(4).astype(complex), "Not class labels"),
        (np.arange(4).astype("datetime64[s]"), "Not class labels"),
    ],
)
def test_labels_of_other_kinds(labels, message):
    with pytest.raises(InputError, match=message):
        MixUp()(X, labels)


def test_one_memory_under_two_names_is_not_overwritten_twice():
    both = X.copy()
    with pytest.raises(InputError, match=r"Two names for one memory \(batch\['x'\]\).*inplace=False"):
        MixUp(inplace=True)({"image": both, "x": both})
    np.testing.assert_array_equal(both, X)


def test_keep_originals_keeps_everything_beside_its_sample():
    batch = {
        "image": X,
        "info": [{"id": i} for i in range(4)],
        "meta": {"id": np.arange(4), "names": list("abcd")},
        "epoch": 3,
    }
    out = MixUp(keep_originals=True, passthrough="meta")(batch)
    assert [len(out["image"]), len(out["info"]), len(out["meta"]["names"]), len(out["meta"]["id"])] == [8] * 4
    assert out["epoch"] == 3


def test_mappings_are_rebuilt_and_never_written_to():
    frozen = types.MappingProxyType({"image": X, "label": IDS})
    out = MixUp(num_classes=4)(frozen)
    assert type(out) is types.MappingProxyType
    assert frozen["label"] is IDS


def test_tokens_are_refused_by_configuration_and_not_by_chance():
    tokens = np.zeros((1, 8, 8, 3), np.int64)
    with pytest.raises(InputError, match=r"cannot be blended .*int64.*embeddings of ids"):
        MixUp(p=0.0)(tokens)
    assert CutMix()(tokens).dtype == np.int64


def test_a_tuple_of_dicts_is_a_list_of_samples():
    samples = tuple({"image": x, "label": i} for i, x in enumerate(X))
    assert MixUp(num_classes=4)(samples)["image"].shape == X.shape


def test_one_image_is_not_a_batch_of_rows():
    with pytest.raises(InputError, match="looks like one image"):
        MixUp()(X[0])


def test_content_keys_do_not_hold_addresses():
    class Opaque:
        pass

    def draw():
        samples = [{"image": x, "label": i, "note": Opaque()} for i, x in enumerate(X)]
        return MixUp(num_classes=4, seed=3)(samples)["label"]

    np.testing.assert_array_equal(draw(), draw())


def test_kinds_by_position_survive_files():
    transform = MixUp(kinds={0: "image", 1: "label"}, num_classes=4)
    again = mixtransforms.from_json(mixtransforms.to_json(transform))
    assert again.kinds == {0: "image", 1: "label"}
    with pytest.raises(mixtransforms.ParameterError, match="kinds"):
        MixUp(kinds={1.5: "image"})


def test_pipelines_too_deep_to_be_read_are_not_written():
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    pipeline = v2.Identity()
    for _ in range(16):
        pipeline = v2.Compose([pipeline])
    with pytest.raises(mixtransforms.ConfigError, match="Nested too deep"):
        mixtransforms.to_json(pipeline)


def test_numbers_that_json_has_not():
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.args\.sigma\): got inf; .*finite"):
        mixtransforms.to_json(v2.GaussianNoise(sigma=float("inf")))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, 2**70])
@pytest.mark.parametrize("door", ["torchvision", "albumentations"])
def test_seeds_of_pipelines_are_checked(door, seed):
    pytest.importorskip(door, reason=f"{door} is not installed")
    module = __import__(f"mixtransforms.{door}", fromlist=["BatchCompose"])
    with pytest.raises(mixtransforms.ParameterError, match=r"Bad value for 'seed' \(BatchCompose\)"):
        module.BatchCompose([], seed=seed)


class TestTorchvision:
    torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed")

    def test_modules_keep_their_parameters(self):
        import torch

        from mixtransforms.torchvision import MixUp

        net = torch.nn.Sequential(MixUp(), torch.nn.Linear(2, 2))
        assert sum(len(list(module.parameters(recurse=False))) for module in net.modules()) == 2
        MixUp().requires_grad_(False)
        MixUp().zero_grad()

    def test_labels_are_never_flipped(self):
        import torch
        from PIL import Image
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose, MixUp

        picture = Image.fromarray((X[0] * 255).astype(np.uint8))
        row = torch.tensor([1.0, 0.0, 0.0, 0.0])
        pipeline = BatchCompose([v2.PILToTensor(), v2.RandomHorizontalFlip(1.0), MixUp(p=0.0)])
        out = pipeline([{"label": row, "image": picture}] * 2)
        assert torch.equal(out["label"], torch.stack([row, row]))
        assert torch.equal(out["image"][0], v2.functional.pil_to_tensor(picture).flip(-1))

    def test_samples_of_any_type_are_transformed(self):
        import dataclasses

        import torch
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose

        @dataclasses.dataclass
        class Sample:
            image: torch.Tensor
            label: int

        images = torch.rand(2, 3, 8, 8)
        out = BatchCompose([v2.RandomHorizontalFlip(1.0)])([Sample(image, 1) for image in images])
        assert torch.equal(out.image, images.flip(-1))

    def test_mixes_of_another_door_are_refused(self):
        pytest.importorskip("albumentations", reason="albumentations is not installed")
        from mixtransforms import albumentations as other
        from mixtransforms.torchvision import BatchCompose

        with pytest.raises(mixtransforms.ParameterError, match=r"A mix of another door .*albumentations.*MixUp"):
            BatchCompose([other.MixUp()])

    def test_pipelines_nest_without_waiting_for_themselves(self):
        import torch
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose, CutMix

        inner = BatchCompose([v2.RandomHorizontalFlip()], seed=1)
        out = BatchCompose([inner, CutMix()], seed=2)(torch.rand(2, 3, 8, 8))
        assert out.shape == (2, 3, 8, 8)

    def test_marked_images_stay_marked_and_channels_last(self):
        import torch
        from torchvision import tv_tensors
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose, MixUp

        images = tv_tensors.Image(torch.rand(4, 3, 8, 8).contiguous(memory_format=torch.channels_last))
        out = BatchCompose([v2.RandomHorizontalFlip(), MixUp()])(images)
        assert isinstance(out, tv_tensors.Image)
        assert out.is_contiguous(memory_format=torch.channels_last)


class TestAlbumentations:
    albumentations = pytest.importorskip("albumentations", reason="albumentations is not installed")

    def test_replay_of_a_choice(self):
        import albumentations as A

        from mixtransforms.albumentations import CutMix, MixUp, OneOf

        pipeline = A.ReplayCompose([OneOf([MixUp(), CutMix()], num_classes=4)])
        first = pipeline(images=X, labels=IDS)
        again = A.ReplayCompose.replay(first["replay"], images=X, labels=IDS)
        np.testing.assert_array_equal(first["images"], again["images"])
        np.testing.assert_array_equal(first["labels"], again["labels"])

    def test_a_pipeline_of_batches_is_not_recorded(self):
        import albumentations as A

        from mixtransforms.albumentations import BatchCompose, MixUp

        with pytest.raises(mixtransforms.ParameterError, match=r"cannot be recorded .*seed"):
            A.ReplayCompose([BatchCompose([MixUp()])])

    def test_one_volume_is_not_a_batch(self):
        from mixtransforms.albumentations import MixUp

        with pytest.raises(InputError, match=r"One volume \(volume=\)"):
            MixUp()(volume=X)

    def test_strict_pipelines_know_their_names(self):
        from mixtransforms.albumentations import BatchCompose, MixUp

        with pytest.raises(InputError, match=r"An unknown name \(foo=\)"):
            BatchCompose([MixUp()], strict=True)(images=X, foo=1)

    def test_boxes_go_with_their_image(self):
        import albumentations as A

        from mixtransforms.albumentations import BatchCompose

        boxes = [[[i, 0, i + 1, 1]] * 4 for i in range(4)]
        pipeline = BatchCompose([A.HorizontalFlip(p=1.0)], bbox_params={"format": "pascal_voc"})
        out = pipeline(images=X, bboxes=boxes)
        assert [np.asarray(b)[:, 0].tolist() for b in out["bboxes"]] == [[7.0 - i] * 4 for i in range(4)]

    def test_setting_the_seed_starts_again(self):
        import albumentations as A

        from mixtransforms.albumentations import BatchCompose, MixUp

        pipeline = BatchCompose([A.HorizontalFlip(), MixUp()])
        pipeline.set_random_seed(5)
        first = pipeline(images=X)["images"]
        pipeline.set_random_seed(5)
        np.testing.assert_array_equal(first, pipeline(images=X)["images"])
