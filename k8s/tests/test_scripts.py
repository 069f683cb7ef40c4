"""Is every script short, sound, explained and safe to try?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from script_runner import ROOT, ScriptRunner

SCRIPTS = (
    "deploy_infra.sh",
    "deploy_riva.sh",
    "riva_chart.sh",
    "deploy_gateway.sh",
    "port_forward.sh",
    "smoke.sh",
    "check_riva.sh",
    "check_conversation.sh",
    "check_production.sh",
    "run_riva_docker.sh",
)
WORDS = {
    "run_riva_docker.sh": ("asr",),
    "riva_chart.sh": ("60",),
    "check_production.sh": ("--target", "a:1", "--metrics", "http://a", "--riva", "b:1", "--llm", "http://c/v1"),
}
KEY = "nvapi-very-secret"
SOURCED = ("steps.sh", "suites.sh")
EVERY_SCRIPT = sorted((ROOT / "scripts").glob("*.sh"))


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    files = [f"scripts/{path.name}" for path in EVERY_SCRIPT]
    found = subprocess.run([shellcheck, "-x", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_short_and_can_be_run(script: str) -> None:
    file = ROOT / "scripts" / script
    assert len(file.read_text(encoding="utf-8").splitlines()) < 60
    assert os.access(file, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS)
async def test_help_says_how_to_use_it_and_does_nothing(script: str, runner: ScriptRunner) -> None:
    shown = await runner.run(script, "--help")
    assert (shown.status, shown.err, runner.lines) == (0, "", [])
    assert f"usage: scripts/{script}" in shown.out
    assert "--dry-run" in shown.out


@pytest.mark.parametrize("script", [path.name for path in EVERY_SCRIPT if path.name not in (*SCRIPTS, *SOURCED)])
async def test_help_of_the_others_helps_and_does_nothing(script: str, runner: ScriptRunner) -> None:
    shown = await runner.run(script, "--help")
    assert (shown.status, shown.err, runner.lines) == (0, "", [])
    assert script in shown.out or shown.out.count("\n") > 1
    assert not list(runner.folder.glob(".*"))


PARTS = ("gpu_check_part.py", "gpu_trap.py")
"""Modules of gpu_check.py."""


@pytest.mark.parametrize(
    "script", sorted(path.name for path in (ROOT / "scripts").glob("*.py") if path.name not in PARTS)
)
def test_help_of_a_program_helps_and_does_nothing(script: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), "--help"]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (shown.returncode, shown.stderr, list(tmp_path.iterdir())) == (0, "", [])
    assert f"usage: {script}" in shown.stdout


@pytest.mark.parametrize(
    "script", ["interop.sh", "setup.sh", "lock.sh", "types.sh", "test.sh", "gpu.sh", "audit.sh", "sbom.sh"]
)
async def test_a_script_without_its_arguments_says_which(script: str, runner: ScriptRunner) -> None:
    shown = await runner.run(script)
    assert (shown.status, runner.lines) == (2, [])
    assert shown.err.startswith(f"usage: scripts/{script} ")


async def test_without_an_engine_images_are_not_built_and_a_sentence_says_what_is_missing(runner: ScriptRunner) -> None:
    for engine in ("docker", "podman", "buildah"):
        runner.acts(engine)
    runner.answer("info", status=1)
    shown = await runner.run("build_gateway.sh")
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith("build_gateway.sh: no docker, podman or buildah answers here: start one, or name a")


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_dry_run_shows_its_steps_and_changes_nothing(script: str, runner: ScriptRunner) -> None:
    runner.answer("helm version", out="v4.1.4+gabc\n")
    shown = await runner.run(script, *WORDS.get(script, ()), "--dry-run", NGC_API_KEY=KEY)
    assert shown.status == 0, shown.err
    assert "\n+ " in f"\n{shown.out}"
    assert [line for line in runner.lines if not line.startswith("helm version")] == []
    assert KEY not in shown.out + shown.err


@pytest.mark.parametrize(
    "script", ["deploy_infra.sh", "deploy_riva.sh", "deploy_gateway.sh", "port_forward.sh", "smoke.sh"]
)
async def test_an_unknown_option_is_refused_before_anything_is_done(script: str, runner: ScriptRunner) -> None:
    shown = await runner.run(script, "--fast", NGC_API_KEY=KEY)
    assert (shown.status, runner.lines) == (2, [])
    assert shown.err == f"{script}: there is no option --fast; see {script} --help\n"


@pytest.mark.parametrize(
    "script", ["deploy_infra.sh", "deploy_riva.sh", "deploy_gateway.sh", "port_forward.sh", "smoke.sh"]
)
async def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(script: str, runner: ScriptRunner) -> None:
    runner.answer("get --raw /readyz", err="connection refused\n", status=1)
    shown = await runner.run(script, NGC_API_KEY=KEY)
    assert shown.status == 1
    assert "no cluster answers: set KUBECONFIG" in shown.err
    assert runner.lines == ["kubectl get --raw /readyz --request-timeout=10s"]


@pytest.mark.parametrize(
    ("script", "words"),
    [("deploy_riva.sh", ("--timeout", "5m")), ("run_riva_docker.sh", ("asr", "--timeout", "5m"))],
)
async def test_a_bad_value_is_refused_with_what_to_write(
    script: str, words: tuple[str, ...], runner: ScriptRunner
) -> None:
    shown = await runner.run(script, *words, NGC_API_KEY=KEY)
    assert (shown.status, shown.err) == (2, f"{script}: --timeout takes whole seconds, not 5m; see {script} --help\n")


async def test_a_missing_value_is_told(runner: ScriptRunner) -> None:
    shown = await runner.run("deploy_gateway.sh", "--release")
    assert (shown.status, shown.err) == (
        2,
        "deploy_gateway.sh: --release needs a value; see deploy_gateway.sh --help\n",
    )
