"""The command line as a person meets it: words in, one paragraph and an exit code out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tdscaling import store
from tdscaling.__main__ import main

OWN = Path(__file__).parent / "fixtures" / "commandline"


@dataclass
class Answer:
    code: int
    out: str
    err: str


class Shell:
    """Calls the command line in this process, in a folder of its own."""

    def __init__(self, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capfd, self.folder = capfd, folder

    def __call__(self, *words: str) -> Answer:
        self.capfd.readouterr()
        code = main(list(words))
        return Answer(code, *self.capfd.readouterr())

    def probe(self, *words: str) -> Answer:
        return self("probe", "--config-dir", str(OWN), *words)

    def run(self, *words: str) -> Answer:
        return self.probe(f"hydra.run.dir={self.folder}/run", *words)


@pytest.fixture
def shell(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(capfd, tmp_path)


def refused(answer: Answer, *words: str) -> None:
    """Exit 1, one paragraph, no traceback, nothing printed as a result."""
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("tdscaling: ")
    assert "Traceback" not in answer.err
    assert "\n\n" not in answer.err
    for word in words:
        assert word in answer.err


def test_run_passes_the_config_on(shell: Shell) -> None:
    assert shell.run("seed=7", "budget.tokens=9", "tags=[b,c]") == Answer(0, "", "")
    run = shell.folder / "run"
    assert (run / "got.txt").read_text() == "7 {'trajectories': 200, 'tokens': 9} 3 ['b', 'c']"
    hydra = sorted(path.name for path in (run / ".hydra").iterdir())
    assert hydra == ["config.yaml", "hydra.yaml", "overrides.yaml"]


def test_runs_go_to_dated_folders(shell: Shell) -> None:
    assert shell.probe().code == 0
    assert len(list((shell.folder / "outputs").glob("20??-??-??/??-??-??/got.txt"))) == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("budget.trajectories=abc", "budget.trajectories: expected int, got 'abc' (str)"),
        ("budget.trajektories=5", "nearest: budget.trajectories"),
        ("trajectories=5", "nearest: budget.trajectories"),
        ("prt=fixed", "nearest: part"),
        ("+budget.foo=5", "budget.foo: there is no such key; there are: trajectories, tokens"),
        ("budget=5", "budget.trajectories, budget.tokens. Type for example budget.trajectories=5"),
        ("part=dubled", "part: no option 'dubled'; there are: doubled, fixed"),
        ("part.on_full=go", "part.on_full: expected one of 'stop', 'wait', got 'go' (str)"),
        ("part.weights.domain=x", "part.weights.domain: expected float, got 'x' (str)"),
        ("part.names=[a,1]", "part.names.1: expected str, got 1 (int)"),
        ("+part.cout=3", "part.cout: Fixed takes no such argument; it takes: count"),
        ("~part.count", "part.count: tests.commandline_parts.Fixed needs this argument"),
        ("part.count=-1", "part.count: expected 0 or more"),
        ("seed=true", "seed: expected int, got True (bool)"),
        ("seed=???", "seed: a value is needed; type seed=..."),
        ("seed=${oc.env:TDSCALING_NOT_SET}", "TDSCALING_NOT_SET"),
        ("seed=1,2", "add -m"),
        ("seed=choice(1,2)", "add -m"),
        ("seed=[1", "[1"),
        ("hydra.run.dr=x", "nearest: hydra.run.dir"),
        ("hydra/launcher=slurm", "hydra/launcher: no option 'slurm'; there are: basic"),
        ("prat/size=x", "prat/size: there is no such group; nearest: "),
        ("word", "`word`: expected an override like key=value"),
        ("--frob", "--frob"),
    ],
)
def test_mistake_is_answered_in_one_paragraph(shell: Shell, word: str, said: str) -> None:
    refused(shell.probe(word), said)
    left = [path.name for path in shell.folder.iterdir() if path.name != "outputs"]
    assert left == []


def test_unknown_command_names_the_nearest(shell: Shell) -> None:
    refused(shell("prob", "--config-dir", str(OWN)), "'prob'", "nearest first: probe")


def test_unknown_config_dir(shell: Shell) -> None:
    refused(shell("probe", "--config-dir", "nowhere"), "nowhere: there is no such folder")


def test_group_typed_with_dots_is_redirected(shell: Shell, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "outer" / "inner").mkdir(parents=True)
    (own / "outer" / "inner" / "one.yaml").write_text("seed: 1")
    (own / "other.yaml").write_text("defaults: [outer/inner: one]\n_target_: builtins.dict")
    answer = shell("other", "--config-dir", str(own), "outer.inner=one")
    refused(answer, "outer.inner: it is a group; type outer/inner=one")


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [("failed", 1, ""), ("refused", 1, "tdscaling: data.jsonl: "), ("interrupted", 130, "")],
)
def test_outcome_becomes_the_exit_code(shell: Shell, outcome: str, code: int, said: str) -> None:
    answer = shell.run(f"outcome={outcome}")
    assert answer.code == code
    assert answer.err.startswith(said)
    assert "Traceback" not in answer.err


def test_bug_keeps_its_traceback(shell: Shell) -> None:
    answer = shell.run("outcome=bug")
    assert answer.code == 1
    assert "commandline_parts.py" in answer.err
    assert "ZeroDivisionError: a bug" in answer.err


def test_sweep_goes_on_after_a_failure(shell: Shell) -> None:
    answer = shell.probe("-m", f"hydra.sweep.dir={shell.folder}/s", "outcome=refused,bug,done")
    assert answer.code == 1
    assert "job 0 (outcome=refused): data.jsonl" in answer.err
    assert "job 1 (outcome=bug)" in answer.err
    assert all((shell.folder / "s" / str(job) / "got.txt").exists() for job in range(3))


def test_codes_of_failed_jobs_leave_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = shell.folder / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert shell.probe("-m", f"hydra.sweep.dir={shell.folder}/s", "outcome=refused,done").code == 1
    assert list(temporary.iterdir()) == []


def test_sweep_that_succeeds(shell: Shell) -> None:
    words = (
        f"hydra.sweep.dir={shell.folder}/s",
        "hydra.sweep.subdir=${hydra.job.override_dirname}",
    )
    answer = shell.probe("-m", *words, "seed=range(1,3)", "part=fixed,doubled")
    assert answer.code == 0
    assert sorted(path.parent.name for path in (shell.folder / "s").glob("*/got.txt")) == [
        "part=doubled,seed=1",
        "part=doubled,seed=2",
        "part=fixed,seed=1",
        "part=fixed,seed=2",
    ]


def test_interrupt_stops_a_sweep(shell: Shell) -> None:
    words = ("-m", f"hydra.sweep.dir={shell.folder}/s", "outcome=interrupted,done")
    assert shell.probe(*words).code == 130
    assert not (shell.folder / "s" / "1").exists()


@pytest.mark.parametrize("word", ["part=fixed,dubled", "seed=1,x", "part.on_full=stop,go"])
def test_every_swept_value_is_checked_first(shell: Shell, word: str) -> None:
    refused(shell.probe("-m", f"hydra.sweep.dir={shell.folder}/s", word))
    assert not (shell.folder / "s").exists()


@pytest.mark.parametrize("above", ["file", "/proc"])
def test_unwritable_run_directory(shell: Shell, above: str) -> None:
    (shell.folder / "file").write_text("no folder")
    target = f"{above}/run/x"
    refused(shell.probe(f"hydra.run.dir={target}"), target, "hydra.run.dir=PATH")
    refused(shell.probe("-m", f"hydra.sweep.dir={target}", "seed=1,2"), "hydra.sweep.dir=PATH")


def test_run_directory_by_the_name_that_other_commands_have_for_it(shell: Shell) -> None:
    assert shell.probe("run_dir=here", "seed=1").code == 0
    assert (shell.folder / "here" / ".hydra").is_dir()
    assert shell.probe("-m", "run_dir=there", "seed=1,2").code == 0
    assert len(list((shell.folder / "there").glob("*/.hydra"))) == 2
    refused(shell.probe("run_dir=a,b"), "several values make a sweep")
    refused(shell("report", "run_dir=nowhere"), "run_dir: expected the directory of a run")


def test_no_run_directory(shell: Shell) -> None:
    refused(shell.probe("run_dir="), "hydra.run.dir: expected a folder, got nothing")
    assert not list(shell.folder.iterdir())


def test_refused_run_directory_stays_as_it_was(shell: Shell) -> None:
    assert shell.run("seed=1").code == 0
    run = shell.folder / "run"
    recorded = yaml.safe_load((run / ".hydra" / "config.yaml").read_text())
    store.Store.open(run / store.FILE, recorded).close()
    assert shell.run("seed=1").code == 0
    before = {path.name: path.read_bytes() for path in (run / ".hydra").iterdir()}
    refused(shell.run("seed=2"), "seed was 1, now 2")
    assert {path.name: path.read_bytes() for path in (run / ".hydra").iterdir()} == before


def test_command_that_reads_leaves_no_trace(shell: Shell) -> None:
    own = shell.folder / "own"
    own.mkdir()
    (own / "look.yaml").write_text(
        "# Looks only.\ndefaults: [_self_, override hydra/job_logging: quiet]\n"
        "_target_: builtins.int\nhydra: {output_subdir: null, run: {dir: .}}\n"
    )
    assert shell("look", "--config-dir", str(own)) == Answer(0, "", "")
    assert [path.name for path in shell.folder.iterdir()] == ["own"]


def test_hydras_own_flags_work(shell: Shell) -> None:
    answer = shell.probe("--cfg", "job", "seed=5")
    assert answer.code == 0
    assert "seed: 5" in answer.out
    assert shell.probe("--info", "searchpath").code == 0
    assert shell.probe("--hydra-help").code == 0
    assert list(shell.folder.glob("outputs*")) == []


def test_help_answers_without_hydra() -> None:
    code = (
        "import sys; from tdscaling.__main__ import main; assert main(['--help']) == 0;"
        "assert not {'hydra', 'omegaconf', 'yaml', 'pydantic'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "tdscaling [command]" in done.stdout


def test_help_lists_commands_settings_and_choices(shell: Shell) -> None:
    answer = shell("--help")
    assert answer == shell("-h")
    assert answer.code == 0
    for words in ("synthesize  ", "seed=", "budget.trajectories=", "evolution=", "[entropy]", "-m"):
        assert words in answer.out


def test_help_of_a_command_shows_settings_with_comments(shell: Shell) -> None:
    for flag in ("--help", "-h"):
        answer = shell.probe(flag)
        assert answer.code == 0
        assert "Writes what it got." in answer.out
        assert "part=fixed" in answer.out
        lines = [" ".join(line.split()) for line in answer.out.splitlines()]
        assert "seed: 0 # any whole number" in lines
        assert "trajectories: 200 # accepted trajectories, 1 or more" in lines
        assert "count: 3 # things, 0 or more" in lines
        assert "_target_" not in answer.out


def test_version(shell: Shell) -> None:
    assert shell("--version").out == "tdscaling 0.1.0\n"


def test_module_and_mistake_as_a_process(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tdscaling", "probe", "--config-dir", str(OWN), "seed=x"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "tdscaling: seed: expected int, got 'x' (str)\n"
