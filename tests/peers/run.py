"""Runs a peer's own tests on our classes: `python tests/peers/run.py albumentations PATH`, where PATH is a checkout.

Ours take the place of the peer's when its tests are imported; nothing of its repository is changed. What is tested is the
installed release of the peer, so check out the tag that fits it. Prints how many tests pass, fail, differ by design and
say nothing of us, and exits with 1 where one fails that should not.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from adapting import Peer
from peer_plugin import peer
from verdicts import BY_DESIGN, FAILED, Outcome, Tally, tally

OPTIONS = "-n0 -q -rN --no-header --tb=no --show-capture=no -p no:cacheprovider --continue-on-collection-errors"
"""How pytest runs: quietly, and without writing into the checkout."""

PEERS = sorted(path.stem.removeprefix("of_") for path in HERE.glob("of_*.py"))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    asked = parser().parse_args(arguments)
    adapter = peer(asked.peer)
    missing = [name for name in adapter.needs if importlib.util.find_spec(name) is None]
    if missing:
        write(f"{asked.peer}: not installed here: {', '.join(missing)}")
        return 2
    outcomes = run(asked, adapter, adapted=True)
    failed = [outcome.test for outcome in outcomes if outcome.outcome == "failed"]
    alone = run(asked, adapter, adapted=False, only=failed) if failed else []
    if asked.outcomes:
        asked.outcomes.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=1), "utf-8")
    found = tally(outcomes, adapter.differences, {outcome.test: outcome for outcome in alone})
    whole = not (asked.only or asked.tests or asked.every > 1)
    write(told(asked.peer, found, whole=whole, verbose=asked.verbose))
    return 1 if found.failures or not outcomes else 0


def write(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("peer", choices=PEERS)
    made.add_argument("path", type=folder, help="a checkout of its repository")
    made.add_argument("--only", metavar="FILE", help="one of its files of tests")
    made.add_argument("-k", dest="tests", metavar="EXPRESSION", help="as for pytest")
    made.add_argument("--every", type=int, default=1, metavar="N", help="a sample: every N-th test")
    made.add_argument("--outcomes", type=Path, metavar="FILE", help="write what became of each test, as JSON")
    made.add_argument("-v", dest="verbose", action="store_true", help="name every failure, and why tests say nothing")
    return made


def folder(text: str) -> Path:
    """A folder that exists, wherever the command is called."""
    path = Path(text).resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return path


def run(asked: argparse.Namespace, adapter: Peer, *, adapted: bool, only: Sequence[str] = ()) -> list[Outcome]:
    """Runs tests in a process of their own.

    Args:
        asked: The command's arguments.
        adapter: The peer's.
        adapted: With our classes in the place of the peer's.
        only: Node ids; empty for all.
    """
    with tempfile.TemporaryDirectory() as place:
        results, settings, names = (Path(place) / name for name in ("outcomes.json", "pytest.ini", "names"))
        settings.write_text("[pytest]\n", "utf-8")  # the peer's own may ask for plugins
        names.write_text("\n".join(only), "utf-8")
        told = {"ADAPTED": "yes" if adapted else "no", "OUTCOMES": str(results), "ONLY": str(names)}
        done = subprocess.run(
            command(asked, adapter, settings),
            cwd=asked.path,
            env=os.environ | environment(asked, adapter, told),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1, 5) or not results.exists():  # 1: tests failed, 5: none was chosen
            raise SystemExit(f"{asked.peer}: its tests did not run\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return [Outcome(**entry) for entry in json.loads(results.read_text("utf-8"))]


def command(asked: argparse.Namespace, adapter: Peer, settings: Path) -> list[str]:
    """What starts the tests."""
    words = asked.tests or adapter.chosen
    return [
        *(sys.executable, "-m", "pytest", "-p", "peer_plugin", "-c", str(settings), f"--rootdir={asked.path}"),
        *OPTIONS.split(),
        *adapter.options,
        *(["-k", words] if words else []),
        *([asked.only] if asked.only else adapter.files),
    ]


def environment(asked: argparse.Namespace, adapter: Peer, told: dict[str, str]) -> dict[str, str]:
    """What the process of the tests is told."""
    told = told | {"PEER": asked.peer, "EVERY": str(asked.every)}
    return {
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent.parent)]),
        **adapter.environment,
        **{f"MIXTRANSFORMS_{name}": value for name, value in told.items()},
    }


def told(name: str, found: Tally, *, whole: bool, verbose: bool) -> str:
    """The result, for people."""
    lines = [f"{name}: " + ", ".join(f"{count} {kind}" for kind, count in found.counts.items())]
    for (kind, why), count in sorted(found.reasons.items(), key=lambda item: (item[0][0], -item[1])):
        if verbose or kind == BY_DESIGN:
            lines.append(f"  {kind}, {count}: {first_line(why)}")
    for message in dict.fromkeys(first_line(outcome.message) for outcome in found.failures):
        tests = [outcome.test for outcome in found.failures if first_line(outcome.message) == message]
        lines.append(f"  {FAILED}, {len(tests)}: {message}")
        lines += [f"      {test}" for test in (tests if verbose else tests[:3])]
    if whole:
        lines += [f"  no longer different: {difference.reason} ({difference.tests})" for difference in found.idle]
    return "\n".join(lines)


def first_line(text: str) -> str:
    """The first line of an error, which names it."""
    return text.strip().partition("\n")[0][:240]


if __name__ == "__main__":
    sys.exit(main())
