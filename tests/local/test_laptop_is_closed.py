"""Who reaches a port of the embedded stack reads no file, and only this machine's own programs reach one."""

import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from local import cli
from local.commands import upkeep
from local.commands.common import Opened
from local.stack import Stack
from shared.errors import UserInputError
from tests.stacks import start_stack

LISTENING = "0A"
LOOPBACK_IN_HEX = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("closed")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REST_HOST", "GRPC_HOST"):
            patch.setenv(f"BQEMU_{name}", "0.0.0.0")
        patch.setenv("BQEMU_ADMIN_ENABLED", "true")
        patch.setenv("BQEMU_GCS_LOCAL_ROOT", "/")
        with start_stack(folder) as running:
            yield running


def ports(stack: Stack) -> dict[str, str]:
    """Every HTTP port of a stack."""
    return {
        "webhook": stack.webhook_url,
        "earth_engine": stack.earth_engine.url + "/$discovery/rest",
        "warehouse": stack.bigquery.url + "/bigquery/v2/projects/local-project/datasets",
        "emulator": str(stack.bigquery._server.rest_url) + "/bigquery/v2/projects/local-project/datasets",
    }


@pytest.mark.parametrize("port", ["webhook", "earth_engine", "warehouse", "emulator"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"])
def test_a_foreign_host_header_is_refused(stack: Stack, port: str, host: str) -> None:
    url = ports(stack)[port]
    assert requests.get(url, headers={"Host": host}, timeout=30).status_code in {400, 403}
    assert requests.get(url, timeout=30).status_code in {200, 405}


@pytest.mark.parametrize("port", ["warehouse", "emulator"])
def test_sql_reads_and_writes_no_file(stack: Stack, tmp_path: Path, port: str) -> None:
    private, written = tmp_path / "private.txt", tmp_path / "written"
    private.write_text("top secret of the user", encoding="utf-8")
    base = ports(stack)[port].removesuffix("/datasets")
    for text in (
        f"SELECT content FROM read_text('{private}')",
        f"COPY (SELECT 'ssh-ed25519 AAAA evil' AS x) TO '{written}' (FORMAT csv, HEADER false, QUOTE '')",
        f"EXPORT DATA OPTIONS (uri='gs:/{tmp_path}/written-*.csv', format='CSV') AS SELECT 1 AS x",
        f"ATTACH '{tmp_path}/other.duckdb' AS other",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "PRAGMA enable_profiling = 'json'",
    ):
        answer = requests.post(
            f"{base}/queries",
            data=json.dumps({"query": text, "useLegacySql": False}),
            headers={"Content-Type": "text/plain"},
            timeout=60,
        )
        assert "top secret" not in answer.text
        assert answer.status_code >= 400 or json.loads(answer.text).get("errors"), answer.text
    assert [path.name for path in tmp_path.iterdir()] == ["private.txt"]


def test_every_port_is_on_loopback_whatever_the_environment_says(stack: Stack) -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("no list of sockets on this machine")
    ours = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            ours.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
        except FileNotFoundError:  # the list's own
            continue
    lines = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [fields[1] for fields in lines if fields[3] == LISTENING and fields[9] in ours]
    assert len(listening) >= 6
    assert {address.split(":")[0] for address in listening} <= LOOPBACK_IN_HEX


HOSTILE = (
    "[/] [link=https://evil.example]click[/link] \x1b]0;title\x07\x1b[2J\u202eliame\n:water: bands: [label, water]"
)
SHOWN = "[/] [link=https://evil.example]click[/link] �]0;title��[2J�liame�:water: bands: [label, water]"


def test_messages_of_strangers_are_shown_as_text(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"dead_letter_id": "1", "recorded_at": datetime.now(UTC).isoformat(), "topic": "ticks", "message_id": "1",
           "function": "discover", "reason": HOSTILE, "body": HOSTILE, "attributes": "{}"}  # fmt: skip
    stack.warehouse.append("dead_letters", [row])
    stack.bigquery.settle()

    @contextlib.contextmanager
    def here(_: Path | None) -> Iterator[Opened]:
        yield Opened(stack.warehouse, None)

    monkeypatch.setattr(upkeep, "opened", here)
    listed = CliRunner().invoke(cli.app, ["dead-letters", "list"])
    assert listed.exit_code == 0, listed.exception
    assert SHOWN in listed.stdout.replace("\n", " ").replace("  ", " ")


def test_what_a_person_is_told_of_a_fault_is_text_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise UserInputError(HOSTILE)

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["landcover"])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == f"landcover: {SHOWN}\n"
