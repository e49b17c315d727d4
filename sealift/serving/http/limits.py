"""Limits on sizes, counts and durations, which no client can exceed."""

from typing import Final

QUICK_BYTES: Final = 128 << 10
"""Size limit of bodies that the event loop itself reads, in at most a millisecond. A thread would add half of that.
Larger bodies would delay other requests."""
MAX_HEAD_BYTES: Final = 16 << 10
HEADER_BYTES: Final = 32  # overhead of a header besides its text, as in HTTP/2
MAX_CONNECTIONS: Final = 1024
"""A further connection ends the longest idle one, so that idle clients cannot keep out others, such as the probes."""
MAX_HANDSHAKES: Final = 128  # TLS handshakes at a time; each takes some 70 KB

KEEP_ALIVE_SECONDS: Final = 75.0  # longer than proxies keep idle connections, so that the proxies close them
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 15.0  # a slower body would delay the shutdown of a pod (see serving/server.py)
ANSWER_SECONDS: Final = 30.0  # for a client to read a response
LINGER_SECONDS: Final = 2.0  # discards input, so that a client that is sending can read its refusal
