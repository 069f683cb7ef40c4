"""What does every cluster test need? The configuration, the cluster, a release, and figures printed at the end."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from e2e.support.cluster import Cluster
from e2e.support.config import PARTS, ROOT, BadConfig, ClusterConfig, read_config
from e2e.support.figures import Figures
from e2e.support.pods import put_programs
from e2e.support.release import Release
from e2e.support.shell import attempt

FIGURES = Figures()
ORDER = (
    "install",
    "speech",
    "change",
    "disruption",
    "upgrade",
    "canary",
    "web",
    "network_policy",
    "autoscaling",
    "speech_disruption",
)
NO_CLUSTER = 3
"""Exit status where there is no cluster to test on."""
Installing = Callable[..., AbstractContextManager[Release]]


def pytest_configure(config: pytest.Config) -> None:
    for part in PARTS:
        config.addinivalue_line("markers", f"{part}: needs a cluster with this part; E2E_WITHOUT={part} leaves it out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a cluster lacks is left out by name only: nothing is passed over in silence."""
    try:
        without = read_config().without
    except BadConfig as error:
        raise pytest.UsageError(str(error)) from None
    left_out = [item for item in items if any(item.get_closest_marker(part) for part in without)]
    items[:] = sorted((item for item in items if item not in left_out), key=_position)
    config.hook.pytest_deselected(items=left_out)
    if items and not config.option.collectonly and (missing := _missing()):
        pytest.exit(missing, returncode=NO_CLUSTER)


def _missing() -> str:
    """What no cluster test can do without; "" = it is there."""
    if not shutil.which("kubectl"):
        return "the cluster tests need kubectl on the PATH: https://kubernetes.io/docs/tasks/tools (e2e/README.md)"
    said = attempt(["kubectl", "get", "--raw", "/readyz", "--request-timeout=10s"], timeout_s=30)
    if said.status:
        last = (said.err.strip().splitlines() or ["it said nothing"])[-1]
        return f"no cluster answers: set KUBECONFIG to a file that names one (e2e/README.md). kubectl: {last}"
    return ""


def _position(item: pytest.Item) -> int:
    """The order in which an operator meets them; within a file as it stands there."""
    name = item.path.stem.removeprefix("test_")
    return ORDER.index(name) if name in ORDER else len(ORDER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES.found:
        terminalreporter.section("figures")
        for name, value in FIGURES.found.items():
            terminalreporter.write_line(f"{name}: {value}")
        FIGURES.write(ROOT / "out" / "e2e.json")


@pytest.fixture(scope="session")
def config() -> ClusterConfig:
    return read_config()


@pytest.fixture(scope="session")
def figures() -> Figures:
    return FIGURES


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture(scope="session")
def installing(cluster: Cluster, config: ClusterConfig) -> Installing:
    """`with installing("scripted", "drain", key=value) as release:` in a namespace of its own."""

    @contextmanager
    def make(values: str, purpose: str, /, settings: dict[str, str] | None = None) -> Iterator[Release]:
        with cluster.namespace(purpose) as namespace:
            put_programs(cluster, namespace)
            release = Release(namespace, values, config, {"replicas": str(config.replicas), **(settings or {})})
            release.install()
            yield release

    return make


@pytest.fixture(autouse=True)
def _report_failures(request: pytest.FixtureRequest) -> Iterator[None]:
    """A failed test says what the namespaces of the run hold."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        pods = attempt(["kubectl", "get", "pods", "-A", "-o", "wide"], timeout_s=30)
        request.node.add_report_section("teardown", "pods", pods.out)
