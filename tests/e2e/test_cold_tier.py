"""A day of traces goes to the cold tier, leaves the disk, and is found again by the real Jaeger.

These tests run twice: with a directory as the tier, and with a Logstore of the stand-in for SLS.
"""

import subprocess

import pytest

from harness.jaeger import Jaeger
from harness.larder import BINARY, Larder
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request
from harness.process import wait_until
from harness.tiers import KINDS

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
TRACES_PER_HOUR = 50
SPANS_PER_TRACE = 3


class Day:
    """Traces of `shop`, which calls `pay`: spread over the last 24 hours, oldest first."""

    def __init__(self, larder):
        make = TraceMaker("a day")
        self.end_ns = make.start_ns
        self.begin_ns = self.end_ns - 24 * HOUR
        self.traces = []  # (id, start, requests)
        for hour in range(24):
            shop, pay = [], []
            for number in range(TRACES_PER_HOUR):
                trace_id = make.trace_id()
                start = self.begin_ns + hour * HOUR + number * MINUTE + MINUTE
                root = make.span(trace_id, "buy", start_time_unix_nano=start, attributes={
                    "hour": hour, "number": number, "customer": f"c-{hour}-{number}"})
                lookup = make.span(trace_id, "look up", parent=root.span_id, kind=3,
                                   start_time_unix_nano=start + 1000)
                charge = make.span(trace_id, "charge", parent=lookup.span_id,
                                   start_time_unix_nano=start + 2000)
                shop += [root, lookup]
                pay.append(charge)
                self.traces.append((trace_id, start, [request("shop", [root, lookup]),
                                                      request("pay", [charge])]))
            larder.export(request("shop", shop))
            larder.export(request("pay", pay))
        self.span_count = len(self.traces) * SPANS_PER_TRACE

    def ids_between(self, begin, end):
        """Latest first."""
        return [trace_id.hex() for trace_id, start, _ in reversed(self.traces)
                if begin <= start <= end]


@pytest.fixture(scope="module", params=KINDS)
def tier(request, tmp_path_factory):
    tier = KINDS[request.param](tmp_path_factory.mktemp("tier"))
    yield tier
    tier.stop()


def settings_of(tier, read_time_max):
    return ("--head.idle", "100ms", "--partition.time", "2s", "--tier.after", "0s",
            "--tier.evict-after", "1ms", "--tier.read-time-max", read_time_max, *tier.settings)


@pytest.fixture(scope="module")
def larder(tier, tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("cold-larder"), *settings_of(tier, "60s"))
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.fixture(scope="module")
def cold_jaeger(larder, tmp_path_factory):
    server = Jaeger(tmp_path_factory.mktemp("cold-jaeger"), larder.grpc_address)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def day(larder, cold_jaeger):
    day = Day(larder)
    wait_until(lambda: larder.metric("larder_cold_spans") == day.span_count,
               "every span to be in the tier alone", 120)
    assert larder.metric("larder_stored_spans") == 0
    assert larder.metric("larder_tier_partitions_lost_total") == 0
    return day


def check_found(jaeger, day):
    """By id, by search, in the dependency graph, and nothing twice."""
    for trace_id, _, sent in (day.traces[0], day.traces[111], day.traces[-1]):
        assert_same_spans(jaeger.trace(trace_id.hex()), as_traces(*sent))
    assert jaeger.trace("ab" * 16) == 404
    for hour in (0, 7, 23):
        begin = day.begin_ns + hour * HOUR
        found = jaeger.find_by_tags("shop", begin // 1000, (begin + HOUR) // 1000, limit=1000)
        assert sorted(found) == sorted(day.ids_between(begin, begin + HOUR))
    latest = jaeger.find_by_tags("pay", day.begin_ns // 1000, day.end_ns // 1000, limit=20)
    assert sorted(latest) == sorted(day.ids_between(day.begin_ns, day.end_ns)[:20])
    one = jaeger.find_by_tags("shop", day.begin_ns // 1000, day.end_ns // 1000, limit=20,
                              tags={"customer": "c-5-13"})
    assert one == [day.traces[5 * TRACES_PER_HOUR + 13][0].hex()]
    assert {"shop", "pay"} <= set(jaeger.services())
    assert jaeger.dependencies(day.end_ns // 10**6, 25 * 3600 * 1000) == {
        ("shop", "pay"): len(day.traces)}


def test_a_day_is_found_again(larder, cold_jaeger, day):
    check_found(cold_jaeger, day)


def test_a_day_is_found_again_after_kill_9(larder, cold_jaeger, day):
    larder.kill()
    larder.start()
    check_found(cold_jaeger, day)


def tier_fetch(larder, *arguments):
    return subprocess.run([BINARY, "tier", "fetch", "--admin", larder.admin_url, *arguments],
                          capture_output=True, text=True, timeout=300)


def test_a_day_that_is_fetched_is_found_without_the_tier(larder, cold_jaeger, day, tier):
    nonsense = tier_fetch(larder, "--from", "yesterday", "--to", "now")
    assert nonsense.returncode == 2 and "'yesterday' is not a time" in nonsense.stderr
    nothing = tier_fetch(larder, "--from", "2001-01-01", "--to", "2001-01-02")
    assert nothing.returncode == 1 and "lies in the cold tier alone" in nothing.stderr
    done = tier_fetch(larder, "--from", "now-2d", "--to", "now", "--keep-for", "1h")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{day.span_count} spans are on the local disk" in done.stdout
    assert larder.metric("larder_fetched_spans") == day.span_count
    assert larder.metric("larder_cold_spans") == 0
    gaps = larder.metric("larder_read_gaps_total")
    with tier.away():
        check_found(cold_jaeger, day)
        assert larder.metric("larder_read_gaps_total") == gaps
        larder.kill()
        larder.start()
        check_found(cold_jaeger, day)
        assert larder.metric("larder_read_gaps_total") == 0
    let_go = tier_fetch(larder, "--from", "now-2d", "--to", "now", "--keep-for", "0s")
    assert let_go.returncode == 0, let_go.stdout + let_go.stderr
    wait_until(lambda: larder.metric("larder_cold_spans") == day.span_count, "the copies to go")
    assert larder.metric("larder_stored_spans") == 0
    check_found(cold_jaeger, day)


def test_what_is_away_is_said(larder, cold_jaeger, day, tier):
    # SLS is asked again and again until the time is over.
    larder.stop()
    larder.arguments = settings_of(tier, "2s")
    larder.start()
    oldest = day.traces[0]
    make = TraceMaker("while it is away")
    fresh = make.span(make.trace_id(), "fresh")
    with tier.away():
        larder.export(request("hot", [fresh]))
        assert cold_jaeger.trace(oldest[0].hex()) != 404, "that would be a lie"
        assert cold_jaeger.trace(fresh.trace_id.hex()).resource_spans
        assert larder.metric("larder_read_gaps_total") > 0
        assert {"hot", "shop", "pay"} <= set(cold_jaeger.services())
    wait_until(lambda: not isinstance(cold_jaeger.trace(oldest[0].hex()), int),
               "the tier to be asked again")
    assert_same_spans(cold_jaeger.trace(oldest[0].hex()), as_traces(*oldest[2]))
