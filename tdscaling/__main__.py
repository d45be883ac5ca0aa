"""The command line: `tdscaling [command] [hydra overrides]`.

Enters: words. Leaves: an exit code: 0 done, 1 a check failed or input was refused, 130 interrupted.
Everything typed is checked before Hydra takes over, because Hydra answers a mistake with a
traceback, makes directories first, and rewrites `.hydra/` of a run that may not be continued.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import secrets
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdscaling import __version__, configuration, diagnosis, usage
from tdscaling.configuration import Invocation
from tdscaling.errors import ConfigError, RunDirectoryError, TdscalingError
from tdscaling.writable import unwritable_folder

if TYPE_CHECKING:
    from omegaconf import DictConfig

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; `argv` without the program's name."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _main(words)
    except TdscalingError as error:
        _complain(error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _main(words: list[str]) -> int:
    if words[:1] in (["--help"], ["-h"]):
        print(usage.overview([configuration.conf_dir()]), end="")  # noqa: T201
        return 0
    if words == ["--version"]:
        print(f"tdscaling {__version__}")  # noqa: T201
        return 0
    diagnosis.check_spaces(words)
    named = bool(words) and "=" not in words[0] and words[0][:1] not in ("-", "~")
    command, rest = (words[0], words[1:]) if named else (usage.DEFAULT_COMMAND, words)
    flags = _flags(rest)
    if flags.config_path:
        raise ConfigError("--config-path: add a folder of your own with --config-dir DIR instead")
    invocation = Invocation(
        command=flags.config_name or command,
        overrides=tuple(flags.overrides),
        config_dir=Path(flags.config_dir) if flags.config_dir else None,
        multirun=flags.multirun or "hydra.mode=MULTIRUN" in flags.overrides,
    )
    _check_command(invocation)
    invocation = replace(
        invocation, overrides=configuration.placed(invocation, invocation.overrides)
    )
    rest = list(configuration.placed(invocation, rest))
    if invocation.multirun and not any(w.startswith(configuration.NAMING) for w in rest):
        name = configuration.naming(invocation)
        invocation = replace(invocation, overrides=(*invocation.overrides, name))
        rest = [*rest, name]
    if flags.help:
        print(usage.of_command(invocation), end="")  # noqa: T201
        return 0
    if not (flags.hydra_help or flags.info or flags.shell_completion):
        config = configuration.check(invocation)
        if not flags.cfg:
            _check_directories(invocation, config)
    return _launch(invocation, rest)


def _flags(words: list[str]) -> argparse.Namespace:
    """Hydra's own flags, as its own parser reads them."""
    from hydra._internal.utils import get_args_parser

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return get_args_parser().parse_args(words)
    except SystemExit as stop:
        if not stop.code:
            raise
        reason = said.getvalue().strip().rsplit("error: ", 1)[-1]
        raise ConfigError(f"{reason}; see tdscaling --help") from None


def _check_command(invocation: Invocation) -> None:
    own = invocation.config_dir
    if own and not own.is_dir():
        raise ConfigError(f"--config-dir {own}: there is no such folder")
    known = configuration.commands(invocation.folders)
    if invocation.command not in known:
        names = ", ".join(diagnosis.nearest(invocation.command, known))
        raise ConfigError(f"there is no command {invocation.command!r}; nearest first: {names}")


def _check_directories(invocation: Invocation, config: DictConfig) -> None:
    """Refuse a run directory that can't be written or belongs to another config."""
    from omegaconf import OmegaConf

    if config.hydra.output_subdir is None:
        return  # the command reads only
    key = "hydra.sweep.dir" if invocation.multirun else "hydra.run.dir"
    place = str(OmegaConf.select(config, key))
    if not place:
        raise RunDirectoryError(f"{key}: expected a folder, got nothing; choose one: {key}=PATH")
    directory = Path(place)
    if reason := unwritable_folder(directory):
        raise RunDirectoryError(
            f"{directory}: expected a folder that can be written, got: {reason}; "
            f"choose another with {key}=PATH"
        )
    if not invocation.multirun:
        _check_resumable(directory, config)
    elif (directory / "multirun.yaml").exists():
        for job in configuration.jobs(invocation):
            _check_resumable(directory / str(job.hydra.sweep.subdir), job)


def _check_resumable(directory: Path, config: DictConfig) -> None:
    if directory.is_dir() and any(directory.iterdir()):
        from tdscaling import run_config, store

        recorded = run_config.replayed(configuration.recorded(config))
        store.check_run_directory(directory, recorded)


def _launch(invocation: Invocation, words: list[str]) -> int:
    """Hand over to Hydra and return the worst exit code of all jobs."""
    import hydra

    multirun = invocation.multirun
    # Files, because a launcher may run jobs in other processes. Their folder is made by the first
    # job that fails: a process that is killed before leaves none.
    codes = Path(tempfile.gettempdir()) / f"tdscaling-{secrets.token_hex(16)}"

    def job(config: DictConfig) -> int:
        return _run_job(config, codes, multirun)

    job.__module__ = f"tdscaling.{invocation.command}"  # Hydra names the job after it
    entry = hydra.main(
        version_base=configuration.VERSION_BASE,
        config_path=str(configuration.conf_dir()),
        config_name=invocation.command,
    )(job)
    try:
        with _arguments(words):
            entry()
        return max((int(path.read_text()) for path in codes.glob("*")), default=0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        shutil.rmtree(codes, ignore_errors=True)


@contextlib.contextmanager
def _arguments(words: list[str]) -> Iterator[None]:
    """Hydra reads its arguments from `sys.argv` only."""
    before = sys.argv
    sys.argv = ["tdscaling", *words]
    try:
        yield
    finally:
        sys.argv = before


def _run_job(config: DictConfig, codes: Path, multirun: bool) -> int:
    """Run one job to its end; nothing it raises may stop the other jobs of a sweep."""
    code = 1
    try:
        code = configuration.build(config)()
    except TdscalingError as error:
        _complain(error, _label() if multirun else "")
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception:  # noqa: BLE001 a bug: shown in full, and the sweep goes on
        _complain("unexpected error, please report it", _label() if multirun else "")
        traceback.print_exc()
    if code:
        codes.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=codes, delete=False) as file:
            file.write(str(code))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _label() -> str:
    from hydra.core.hydra_config import HydraConfig

    job: Any = HydraConfig.get().job
    return f"job {job.num} ({job.override_dirname}): "


def _complain(reason: object, label: str = "") -> None:
    print(f"tdscaling: {label}{reason}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
