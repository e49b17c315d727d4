"""How much, how many and how long: what no client can draw out."""

from typing import Final

QUICK_BYTES: Final = 128 << 10
"""Of a body that the loop itself reads, which takes it a millisecond at most: a thread costs such a one half as much
again. Larger ones would keep others waiting."""
MAX_HEAD_BYTES: Final = 16 << 10
HEADER_BYTES: Final = 32  # what a header counts besides its text, as in HTTP/2
MAX_CONNECTIONS: Final = 1024
MAX_HANDSHAKES: Final = 128  # of TLS, under way at a time: each takes some 70 KB
"""One more, and the longest idle one has to go: idle strangers keep out nobody, least of all the probes."""

KEEP_ALIVE_SECONDS: Final = 75.0  # longer than proxies keep an idle connection, so that it is they who close it
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 15.0  # a slower one would keep a pod that ends from ending (see serving/server.py)
ANSWER_SECONDS: Final = 30.0  # for a client to take an answer
LINGER_SECONDS: Final = 2.0  # to read on without keeping it, so that a client that sends gets to read its refusal
