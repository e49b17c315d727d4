"""The headers of W3C Trace Context, with the cases of its text and of its test suite
(https://github.com/w3c/trace-context, test/test.py)."""

import pytest

from sealift.serving.tracing.trace_context import MOST_MEMBERS, parse_trace_context, state_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("traceparent", "sampled"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        (f"00-{TRACE}-{PARENT}-00", False),
        (f"00-{TRACE}-{PARENT}-03", True),  # a flag of a later level beside ours
        (f"00-{TRACE}-{PARENT}-fe", False),
        (f"cc-{TRACE}-{PARENT}-01", True),  # later versions: what is known of them is read
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", True),
        (f"fe-{TRACE}-{PARENT}-00-", False),
    ],
)
def test_what_is_well_formed_is_taken_over(traceparent: str, sampled: bool) -> None:
    context = parse_trace_context(traceparent.encode())

    assert context == (bytes.fromhex(TRACE), bytes.fromhex(PARENT), sampled)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        f"00-{TRACE}-{PARENT}",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01.",
        f"00-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
        f"cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}1-{PARENT}-01",
        f"00-{TRACE}-{PARENT[:-1]}-01",
        f"00-{TRACE}-{PARENT}2-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-001",
        f"00-{TRACE}-{PARENT}-.0",
        f"0-{TRACE}-{PARENT}-01",
        f"000-{TRACE}-{PARENT}-01",
        f"0x-{TRACE}-{PARENT}-01",
        f"00-{TRACE[:-1]}.-{PARENT}-01",
        f"00-{TRACE}-{PARENT[:-1]}.-01",
        f"00_{TRACE}_{PARENT}_01",
        f"00-{TRACE}-{PARENT}-01\n",
        "x" * 100_000,
    ],
)
def test_what_is_malformed_is_nothing(traceparent: str) -> None:
    assert parse_trace_context(traceparent.encode()) is None


@pytest.mark.parametrize(
    ("tracestate", "handed_on"),
    [
        ("", ""),
        ("foo=1", "foo=1"),
        ("foo=1,bar=2", "foo=1,bar=2"),
        ("foo=1 \t , \t bar=2", "foo=1,bar=2"),
        ("foo=1,,bar=2,", "foo=1,bar=2"),
        ("0tenant@v-1*/_=a b", "0tenant@v-1*/_=a b"),
        (f"{'a' * 256}={'1' * 256}", f"{'a' * 256}={'1' * 256}"),
        (f"{'t' * 241}@{'v' * 14}=1", f"{'t' * 241}@{'v' * 14}=1"),
        (f"{'a' * 257}=1", ""),
        (f"{'t' * 242}@v=1", ""),
        (f"t@{'v' * 15}=1", ""),
        (f"a={'1' * 257}", ""),
        ("foo=1=2", ""),
        ("foo", ""),
        ("=1", ""),
        ("foo=", ""),
        ("Foo=1", ""),
        ("foo @=1,bar=2", ""),
        ("foo@=1,bar=2", ""),
        ("@foo=1,bar=2", ""),
        ("foo=\u00e9", ""),
        ("foo=1\n", ""),
        (",".join(f"k{n}=1" for n in range(MOST_MEMBERS)), ",".join(f"k{n}=1" for n in range(MOST_MEMBERS))),
        (",".join(f"k{n}=1" for n in range(MOST_MEMBERS + 1)), ""),
    ],
)
def test_a_state_is_handed_on_whole_or_not_at_all(tracestate: str, handed_on: str) -> None:
    assert state_of(tracestate.encode()) == handed_on
