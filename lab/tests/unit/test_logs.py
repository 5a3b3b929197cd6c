"""Logs stay bounded while their writers go on."""

from cloudlab.base import logs


def test_small_log_is_left_alone(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("few\n")
    assert not logs.bound(log, 100)
    assert log.read_text() == "few\n"
    assert not logs.bound(tmp_path / "missing.log", 100)


def test_large_log_keeps_its_last_whole_lines(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {i:04}\n" for i in range(1000)))
    assert logs.bound(log, 95)
    assert log.stat().st_size == 0
    assert (tmp_path / "x.log.1").read_text().splitlines() == [f"line {i:04}" for i in range(991, 1000)]
    assert (tmp_path / "x.log.1").stat().st_mode & 0o777 == 0o600


def test_writer_goes_on_at_the_new_end(tmp_path):
    log = tmp_path / "x.log"
    with open(log, "a") as writer:
        writer.write("x" * 1000 + "\n")
        writer.flush()
        logs.bound(log, 100)
        writer.write("after\n")
    assert log.read_bytes() == b"after\n"  # and no hole before it


def test_runaway_writer_never_takes_more_than_twice_the_limit(tmp_path):
    log = tmp_path / "x.log"
    for _ in range(50):
        with open(log, "a") as writer:
            writer.write("y" * 99 + "\n")
        logs.bound(log, 500)
        assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= 2 * 500


def test_tail_joins_both_parts_and_drops_escapes(tmp_path):
    (tmp_path / "c.log.1").write_bytes(b"first\n")
    (tmp_path / "c.log").write_bytes(b"\x1b[0;32m OK \x1b[0m\x1b]0;title\x07 second\r\n")
    assert logs.tail(tmp_path / "c.log", 1000) == "first\n OK  second\n"
    assert logs.tail(tmp_path / "missing.log", 10) == ""
