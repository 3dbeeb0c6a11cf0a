"""Benchmarks run, time what they say, and read goals from it. What they tell is asserted nowhere: times are noise here."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from once import once

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import collation
import family_peers
import goal_cases
import goals
import harness
import memory
import mixing
import peers
import report

sys.path.remove(str(BENCHMARKS))  # tests have modules of the same names


def run(script: str, *arguments: Any) -> str:
    command = [sys.executable, BENCHMARKS / f"{script}.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, *seconds: float) -> Any:
        """A call whose runs take the given times, again and again."""
        runs = iter(seconds * 1000)

        def call() -> None:
            self.now += next(runs)

        return call


# ------------------------------------------------------------------------------------------ timing


def test_calls_take_turns_and_the_first_one_is_not_told():
    order: list[str] = []
    calls = {name: lambda name=name: order.append(name) for name in "abc"}
    times = harness.taken(calls, 6)
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 6, "b": 6, "c": 6}
    turns = [order[index : index + 3] for index in range(0, len(order), 3)]
    assert len(turns) == 7
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert len({tuple(turn) for turn in turns[1:]}) > 1  # nobody always follows the same one


def test_preparing_is_not_timed_and_comes_before_every_call():
    clock = Clock()
    log: list[str] = []

    def prepare() -> None:
        log.append("prepare")
        clock.now += 100

    def call() -> None:
        log.append("call")
        clock.now += 3

    assert harness.taken({"call": call}, 4, prepare=prepare, clock=clock) == {"call": [3, 3, 3, 3]}
    assert log == ["prepare", "call"] * 5


def test_short_calls_are_timed_several_in_a_row():
    clock = Clock()
    calls = {"short": clock.spend(harness.SHORTEST / 10), "long": clock.spend(harness.SHORTEST * 10)}
    assert harness.inner_of(calls["short"], clock) == 10
    assert harness.inner_of(calls["long"], clock) == 1
    times = harness.taken(calls, 2, inner=None, clock=clock)
    assert times["short"] == pytest.approx([harness.SHORTEST / 10] * 2)
    assert times["long"] == pytest.approx([harness.SHORTEST * 10] * 2)


def test_time_runs_out_only_behind_the_fewest_turns():
    assert len(harness.taken({"call": harness.nothing}, 50, seconds=0)["call"]) == harness.LEAST_TURNS


def test_a_ratio_is_the_median_of_single_turns():
    times = {"a": [1.0, 20.0, 3.0], "b": [1.0, 10.0, 1.0]}
    assert harness.ratio(times, "a", "b") == 2  # the ratio of the medians would be 3
    seen = harness.Measured(times, {"b": "a"}, {"a": "b"})
    first, second = seen.records()
    assert first["share_of_limit"] == 0.5
    assert second["ratio"] == 0.5
    assert second["median_ms"] == 1000


def test_a_peer_that_refuses_is_told_and_ours_must_run():
    def refuse() -> None:
        raise RuntimeError("no bytes\nand more")

    short = harness.Settings(short=True)
    seen = harness.compare([harness.Contender("copy_", int), harness.Contender("timm", refuse)], short)
    assert list(seen.times) == ["copy_"]
    assert seen.refused == {"timm": "RuntimeError: no bytes"}
    with pytest.raises(RuntimeError, match="no bytes"):
        harness.compare([harness.Contender("ours in place", refuse)], short)


# ------------------------------------------------------------------------------------------ goals and the page


COMPILED, PLAIN, THREADED = goals.Setting(), goals.Setting(compiled=False), goals.Setting(threads=2)


def test_goals_are_read_from_what_was_measured():
    seen = {"case": harness.Measured({"ours": [2.0, 9.0, 2.0], "timm": [9.0], "keras": [5.0], "clone": [1.0]})}
    wanted = goals.Bounds(2, 5)
    fast = goals.faster("", "case", "ours", ("timm", "keras"), wanted)
    row = fast.judged(seen, COMPILED)
    assert (row["figure"], row["met"], row["verdict"]) == (2.5, True, "met")  # against the faster peer
    row = fast.judged(seen, PLAIN)
    assert (row["met"], row["verdict"], row["wanted"]) == (False, "missed by 2.00x", "at least 5 times as fast")
    assert fast.judged(seen, THREADED) is None
    far = goals.within("", "case", "ours", "clone", goals.Bounds(1.6, 2, 1.0))
    row = far.judged(seen, COMPILED)
    assert (row["figure"], row["met"], row["verdict"]) == (2, False, "missed by 1.25x")
    assert far.judged(seen, PLAIN)["met"] is True
    assert far.judged(seen, THREADED)["verdict"] == "missed by 2.00x"
    absent = goals.faster("", "case", "ours", ("kornia",), wanted).judged(seen, COMPILED)
    assert (absent["met"], absent["verdict"]) == (None, "not measured: no kornia")


def test_objects_and_memory_are_told_beyond_pixels():
    image, box, masks = goals.objects()
    seen = {"records": harness.Measured({"images": [1.0], "0 boxes": [1.64], "100 boxes": [8.04]})}
    assert image.judged(seen, COMPILED)["figure"] == pytest.approx(1e4)
    assert box.judged(seen, COMPILED)["figure"] == pytest.approx(1e3)
    seen = {"instances": harness.Measured({"images": [1.0], "ours": [7.0], "copy": [2.0]})}
    assert masks.judged(seen, COMPILED)["figure"] == 3
    out = next(goal for goal in goals.large() if goal.text.startswith("MixUp") and "memory" in goal.text)
    peak = memory.Peak("MixUp", extra=130, output=100, sample=10, threads=1)
    judged = out.judged({"extra rows": memory.Peaks({peak.name: peak})}, COMPILED)
    assert (judged["figure"], judged["met"]) == (3, False)


def test_every_goal_has_its_case_and_no_two_cases_one_key():
    for cases in (mixing.all_cases(), [*goal_cases.cases()]):
        keys = [case.key for case in cases]
        assert len(set(keys)) == len(keys)
    optional = {"extra rows"} if not memory.RESET.exists() else set()
    assert {goal.case for goal in goals.goals()} - optional <= set(keys) | {"samples"}


def test_a_case_apart_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was kept before is not there, and threads are set there too."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    pages = [harness.apart(memory_of)(harness.Settings(threads=1)) for _ in range(2)]
    assert pages[0][0] != pages[1][0]
    assert os.getpid() not in {pid for pid, _ in pages}
    assert [threads for _, threads in pages] == [1, 1]


def memory_of(settings: Any) -> tuple[int, int]:
    return os.getpid(), torch.get_num_threads()


@pytest.mark.skipif(harness.resource is None, reason="the system tells no page faults")
def test_page_faults_are_those_of_the_call() -> None:
    touched: dict[str, list[float]] = {}
    keep = []
    calls = {"fresh": lambda: keep.append(np.ones(1 << 24, np.uint8)), "nothing": harness.nothing}
    harness.taken(calls, 5, touched=touched)
    # In large pages, of 2 MB; the first ones may be what another array has left behind.
    assert max(touched["fresh"]) >= 8
    assert max(touched["nothing"]) < 8


def test_remarks_written_by_hand_stay(tmp_path: Path):
    page = tmp_path / report.PAGE
    report.put(page, "mixing", "first")
    report.put(page, "gpu", "another part")
    remarked = page.read_text().replace("## Remarks\n", "## Remarks\n\nMind the gap.\n") + "\nAnd the end.\n"
    page.write_text(remarked)
    report.put(page, "mixing", "second")
    assert page.read_text() == remarked.replace("first", "second")


# ------------------------------------------------------------------------------------------ memory


def copied_by_opencv() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    cv2.UMat(np.zeros((2048, 2048, 4), np.float32))  # memory of its own; pages of zeros that are only read take none


@pytest.mark.full
@pytest.mark.skipif(not memory.RESET.exists(), reason="the kernel tells no high-water mark")
@pytest.mark.parametrize(
    ("call", "least"),
    [
        pytest.param(lambda: None, 0, id="nothing"),
        pytest.param(lambda: (torch.ones(16 << 20), None)[1], 64 << 20, id="torch"),
        pytest.param(lambda: (np.ones(8 << 20), None)[1], 64 << 20, id="numpy"),
        pytest.param(copied_by_opencv, 64 << 20, id="opencv"),
        pytest.param(lambda: torch.ones(16 << 20), 64 << 20, id="result"),
    ],
)
def test_the_high_water_mark_sees_a_temporary_of_any_library(call: Any, least: int) -> None:
    assert least * 0.95 <= memory.peak(call) <= least * 1.05 + (4 << 20)


@pytest.mark.full
@pytest.mark.skipif(not memory.RESET.exists(), reason="the kernel tells no high-water mark")
def test_the_high_water_mark_is_that_of_the_call_alone():
    kept = []

    def many_small() -> None:
        blocks = [torch.ones(16 << 10) for _ in range(1024)]
        kept.append(blocks[-1])  # what lies before it stays with the process, and would be used again unseen

    assert memory.peak(many_small) >= 60 << 20
    assert memory.peak(lambda: None) <= 4 << 20  # behind a call that took more


def test_a_batch_is_counted_until_it_lies_in_shared_memory():
    batch = {"images": torch.ones(2, 3), "rest": (np.ones(3), [torch.ones(1)])}
    images, (array, (inner,)) = collation.shared(batch)
    assert images.is_shared()
    assert array.is_shared()
    assert inner.is_shared()
    assert batch["images"].data_ptr() == images.data_ptr()


# ------------------------------------------------------------------------------------------ whole runs


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The figures and the page of a short run of everything that is installed."""

    def find(folder: Path) -> Any:
        run("mixing", "--short", "--out", folder)
        return json.loads((folder / "mixing.json").read_text()), (folder / report.PAGE).read_text()

    return tuple(once(tmp_path_factory, "benchmarks", find))


@pytest.mark.full
def test_mixing_runs(short_run: tuple[dict[str, Any], str]) -> None:
    data, text = short_run
    assert finite(data)
    assert data["missing"] == peers.missing()
    assert [case["case"] for case in data["cases"]] == [case.key for case in mixing.all_cases()]
    assert "the figures mean nothing" in text
    # Integers are what torchvision and timm cannot blend; nobody refuses anything else.
    refused = {name for case in data["cases"] for name in case["refused"]}
    assert refused <= {"torchvision", "timm batch", "torchvision MixUp"}


@pytest.mark.full
def test_goals_are_measured(tmp_path: Path) -> None:
    run("mixing", "--goals", "--short", "--out", tmp_path)
    (written,) = tmp_path.glob("*.json")  # with the kernel or without
    data, text = json.loads(written.read_text()), (tmp_path / report.PAGE).read_text()
    assert finite(data)
    assert [case["case"] for case in data["cases"]] == [case.key for case in goal_cases.cases()]
    assert all(goal["goal"] in text for goal in data["goals"])
    assert len(data["goals"]) == len(goals.goals())
    assert data["missing"] or all(goal["met"] is not None for goal in data["goals"]), data["goals"]


@pytest.mark.full
@pytest.mark.parametrize("name", peers.PEERS)
def test_every_peer_takes_part(name: str, short_run: tuple[dict[str, Any], str]) -> None:
    package = peers.PEERS[name].package
    if package in peers.missing():
        pytest.skip(f"{package} is not installed")
    cases = {case["case"]: {one.get("contender") for one in case["contenders"]} for case in short_run[0]["cases"]}
    assert name in cases["photos MixUp"] & cases["photos CutMix"]


@pytest.mark.full
def test_a_peer_that_is_missing_is_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    find = peers.importlib.util.find_spec
    absent = ("kornia", "keras", "timm", "albumentations")
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None if name in absent else find(name))
    threads = torch.get_num_threads()
    mixing.main(["--short", "--one-thread", "--only", "photos MixUp"])
    torch.set_num_threads(threads)
    text = capsys.readouterr().out
    for name in absent:
        assert f"- {name} is not installed and is left out" in text
    assert "- all with one thread of torch" in text
    assert "| torchvision |" in text
    assert "| timm" not in text
    assert not [case.title for case in collation.cases() if "dicts of arrays" in case.title]


@pytest.mark.full
def test_scaling_writes_a_small_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    run("scaling", "--short", "--out", tmp_path)
    assert (tmp_path / "scaling.png").stat().st_size < 150_000
    assert "](scaling.png)" in (tmp_path / report.PAGE).read_text()
    axes = json.loads((tmp_path / "scaling.json").read_text())["axes"]
    assert len(axes) == 5
    assert all(len(points) == 2 for points in axes.values())


@pytest.mark.full
def test_the_gpu_page_runs_dry(tmp_path: Path) -> None:
    arguments = ("--device", "cpu", "--size", 4, "--side", 16, "--turns", 2, "--backend", "eager")
    run("gpu", *arguments, "--out", tmp_path)
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert len(rows) == 17
    assert all(row["launches"] > 0 and row["synchronisations"] is None for row in rows)
    assert "a dry run on the CPU" in (tmp_path / report.PAGE).read_text()


@pytest.mark.full
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_line_says_so():
    assert run("gpu").splitlines() == [
        "There is no GPU here; --device cpu runs everything on the CPU, to see that it runs."
    ]


def test_the_family_is_measured_beside_a_copy_and_mixup() -> None:
    text, beside = run("family", "--short").split("### float32 beside other libraries")
    for name in ("clone", "MixUp()", "ResizeMix()", "GridMix()"):
        assert text.count(f"| `{name}` |") == 2, name  # a row a dtype
    assert "| ResizeMix(), float32 64 x 3 x 224 x 224, against clone | at most 12 times as long |" in text
    for peer in family_peers.PEERS:
        row = f"| `{peer.ours}`{', in place' if peer.inplace else ''} | {peer.package} |"
        assert (row in beside) == family_peers.is_installed(peer), row
    for package in family_peers.missing():
        assert f"- {package} is not installed and is left out" in beside


@pytest.mark.parametrize(
    "peer",
    # One of them needs another build of OpenCV than the tests' own: it is tried where somebody has installed it.
    [peer for peer in family_peers.PEERS if family_peers.is_installed(peer)],
    ids=lambda peer: f"{peer.package} {peer.ours}",
)
def test_what_stands_beside_the_family_gives_images_and_soft_labels(peer: family_peers.Peer) -> None:
    """A peer that gives back what it got, or labels of another form, would be timed for nothing."""
    np.random.seed(0)  # noqa: NPY002 -- which peers draw from
    torch.manual_seed(0)
    for make in (peer.make, peer.make_ours):
        images, labels = torch.rand(6, 3, 32, 32), torch.arange(6)
        kept = images.clone()
        mixed, soft = make(10)(images, labels)
        assert mixed.shape == kept.shape
        assert not torch.equal(mixed, kept)
        assert torch.equal(images, kept) != peer.inplace
        if make is peer.make_ours or str(peer.ours) not in ("Mosaic()", "SaliencyMix()"):  # which have no such labels
            assert soft.shape == (6, 10)
            torch.testing.assert_close(soft.sum(1), torch.ones(6), check_dtype=False)


@pytest.mark.full
@pytest.mark.parametrize(("script", "words"), [("keys", "key a ready batch"), ("serialization", "parse 100 nodes")])
def test_the_other_benchmarks_run(script: str, words: str) -> None:
    pytest.importorskip("albumentations", reason="albumentations is not installed")
    arguments = {"keys": [], "serialization": ["--nodes", 100]}[script]
    assert words in run(script, "--repeat", 1, *arguments)
