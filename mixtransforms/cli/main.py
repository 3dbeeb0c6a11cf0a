"""The command line: a demo, previews, what pipeline files may hold and whether they are right, and the doctor."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mixtransforms.core.errors import ConfigError, missing

try:
    import typer
except ImportError:  # said by main(), in words
    if not TYPE_CHECKING:
        typer = None

if TYPE_CHECKING:
    from rich.console import Console

# Annotations are strings here: typer reads them when the commands are registered, and nobody where it is missing.


def main() -> None:
    """Runs the command line; the entry point of ``mixtransforms`` and of ``python -m mixtransforms``."""
    if typer is None:
        sys.exit(_without_typer(sys.argv[1:]))
    application()(prog_name="mixtransforms")


def _without_typer(words: Sequence[str]) -> str | int:
    """The exit status of what works without typer, which is the doctor; or what to say, which is status 1."""
    if list(words) == ["doctor"]:
        from mixtransforms.cli.doctor import report

        return 1 if report(print) else 0
    return f"{missing('typer', 'cli', 'The command line')}\n`mixtransforms doctor` works without it."


def application() -> typer.Typer:
    """All commands."""
    # No completion: it would write into the shell's files. No pretty exceptions: they show locals, and so paths and
    # data.
    short = {"help_option_names": ["-h", "--help"]}
    app = typer.Typer(
        add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, context_settings=short
    )
    app.callback()(options)
    for command in (demo, preview, list_types, preset, describe, validate, schema, doctor):
        # `list_types` is `list` on the command line, and no builtin is shadowed here.
        app.command(command.__name__.partition("_")[0], context_settings=short)(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        import mixtransforms

        _line(f"mixtransforms {mixtransforms.__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """MixUp and CutMix as transforms for torchvision v2 and Albumentations."""


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures and pipeline files.")] = Path(
        "mixtransforms-demo"
    ),
) -> None:
    """Mix real photos with one pipeline per host, draw the result, write the pipelines to JSON and read them back."""
    with _plain_errors():
        from mixtransforms.cli import demo

        demo.run(output, _line)


def preview(
    pipeline: Annotated[Path, typer.Argument(help="Pipeline file that mixtransforms.save wrote.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Images, one subfolder a class, or images alone.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The picture (PNG, SVG, PDF), or one HTML page; its ending says which."),
    ] = Path("preview.png"),
    batch: Annotated[int, typer.Option("--batch", "-b", min=1, help="Number of samples in the batch.")] = 8,
    epoch: Annotated[
        int | None,
        typer.Option(
            "--epoch",
            "-e",
            min=0,
            help="The epoch whose values schedules have. Without it, the first in which they mix the most.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run a pipeline on your own images and draw what it mixes."""
    with _plain_errors():
        from mixtransforms.cli.preview import PAGES, preview

        done = preview(pipeline, folder, output, batch, _tracked, epoch)
    for path, reason in done.reading.skipped:
        _line(f"skipped {path}: {reason}")
    images, skipped, classes = len(done.reading.photos), len(done.reading.skipped), len(done.folder.classes)
    told = f"{done.mixed or 'None'} of {_counted(images, 'image')} mixed"
    told += f", of {_counted(classes, 'class', 'classes')}" if classes else ", without labels"
    _line(f"{told}; {_counted(skipped, 'unreadable file')} skipped." if skipped else f"{told}.")
    if images < batch:
        _line(f"The batch has {_counted(images, 'sample')}, not {batch}: there are no more images.")
    for remark in done.remarks:
        _line(remark)
    _line(f"{'page' if output.suffix.lower() in PAGES else 'picture'}: {output}")


def list_types(
    host: Annotated[
        str,
        typer.Option("--host", help="Only what pipelines of this host may hold: torchvision, albumentations, neutral."),
    ] = "",
) -> None:
    """List the types that pipeline files may name, and the presets that make one."""
    with _plain_errors():
        from mixtransforms.files.describe import parts, types

        # An unknown host and one that is not installed look alike from here: neither has types.
        found = [known for known in types() if host in ("", *known.hosts)]
        if not found:
            raise ConfigError(
                f"No host is called {host!r}, or it is not installed: torchvision, albumentations, neutral."
            )
    groups = {
        "Of mixtransforms": [known for known in found if known.name.startswith("mixtransforms.")],
        "Of torchvision v2": [known for known in found if known.name.startswith("torchvision.")],
        "Of Albumentations": [known for known in found if known.name.startswith("albumentations.")],
        "Inside of arguments: schedules in place of numbers, rules of boxes, and kinds": parts(),
    }
    width = max(len(known.name) for known in found)
    for number, (heading, members) in enumerate((title, each) for title, each in groups.items() if each):
        _line(("\n" if number else "") + heading)
        for known in members:
            _line(f"  {known.name:{width}}  {known.summary}")
    from mixtransforms.presets import PRESETS

    _line("\nPresets: the mixing of published recipes, for `mixtransforms preset NAME`")
    for name, function in PRESETS.items():
        _line(f"  {name:{width}}  {str(function.__doc__).splitlines()[0]}")
    _line("\n`mixtransforms describe NAME` tells what one takes.")


def preset(
    name: Annotated[str, typer.Argument(help="Such as deit; `mixtransforms list` has all.", show_default=False)],
    num_classes: Annotated[int, typer.Option("--num-classes", "-n", min=1, help="Number of classes.")] = 1000,
    host: Annotated[
        str, typer.Option("--host", help="Whose pipeline it is: torchvision, albumentations, neutral.")
    ] = "torchvision",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file, JSON or YAML; without it, JSON is printed.")
    ] = None,
) -> None:
    """Write the mixing of a published recipe as a pipeline file, to load or to change."""
    with _plain_errors():
        from mixtransforms.files import save, to_json
        from mixtransforms.presets import PRESETS

        if name not in PRESETS:
            raise ConfigError(f"No preset is called {name!r}: {', '.join(PRESETS)}.")
        made = PRESETS[name](num_classes, host=host)
        if output is None:
            _line(to_json(made))
            return
        save(made, output)
    _line(f"pipeline: {output}")


def describe(
    name: Annotated[
        str, typer.Argument(metavar="TYPE", help="Such as torchvision.Resize, or CutMix.", show_default=False)
    ],
) -> None:
    """Tell what a type does, what it takes, and where it comes from."""
    with _plain_errors():
        from mixtransforms.files import describe

        for number, description in enumerate(describe.describe(name)):
            for line in ("\n", *describe.description_lines(description))[not number :]:
                _line(line)


def validate(
    files: Annotated[list[Path], typer.Argument(help="Pipeline files, JSON or YAML.", show_default=False)],
) -> None:
    """Check pipeline files: every problem with its line and its JSON path. Exit status 1 where there is one."""
    from mixtransforms.files import check

    count = 0
    # Every file is judged before the exit status says that one was wrong: editors and CI want all of them.
    for file in files:
        try:
            with _plain_errors():
                problems = check(file)
        except typer.Exit:  # it is said; the others are checked all the same
            count += 1
            continue
        count += len(problems)
        for line, text in problems:
            # As compilers write it: editors jump to the place.
            _line(f"{file}:{line or 1}: {text}")
        if not problems:
            _line(f"{file}: a pipeline that loads")
    if count:
        _line(f"{_counted(count, 'problem').capitalize()} found.")
        raise typer.Exit(1)


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; without it, the schema is printed.")
    ] = None,
) -> None:
    """Write the JSON Schema of pipeline files, with which editors complete and check them."""
    with _plain_errors():
        from mixtransforms.files import json_schema, storage
        from mixtransforms.files.document import formatted

        text = formatted(json_schema())
        if output is not None:
            storage.write_atomically(output, text)
            _line(f"schema: {output}")
            return
    # Printed without a newline of our own: the text ends in one, and `> file` must give what `-o` does.
    typer.echo(text, nl=False)


def doctor() -> None:
    """Tell what is installed, what is wrong with it, and the command that mends it."""
    from mixtransforms.cli.doctor import report

    if report(_line):
        raise typer.Exit(1)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """The package's errors, and the system's about files, as one line and exit status 1."""
    from mixtransforms.core import errors

    # Our own alone: a plain ValueError or TypeError is a bug, and keeps its traceback.
    known = (
        errors.ConfigError,
        errors.InputError,
        errors.MissingDependencyError,
        errors.ParameterError,
        errors.PlanError,
        errors.UnknownOptionError,
    )
    try:
        yield
    except known as error:
        text = str(error)
    except OSError as error:
        # Without the errno, which str(error) begins with.
        text = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    else:
        return
    typer.echo(f"Error: {text}", err=True)
    raise typer.Exit(1)


def _tracked(items: Iterable[int], total: int) -> Iterable[int]:
    from rich.progress import track

    return track(items, "Reading images", total, console=_console(stderr=True))


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count or 'no'} {one if count == 1 else many or one + 's'}"


def _line(text: str) -> None:
    typer.echo(text)  # rich would read brackets in paths and commands as markup, and break long lines
