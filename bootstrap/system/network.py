"""Whether the sources of official parts can be reached. One quick check per run, so that a dead network costs seconds,
not minutes.
"""

import functools
import threading
import urllib.error
import urllib.request

PROBE_SECONDS = 4.0

# Sources of official parts. All are checked at the same time, once per run.
OFFICIAL = {
    "pulumi": "https://get.pulumi.com/",
    "plugins": "https://api.github.com/",
    "images": "https://registry-1.docker.io/v2/",
    "pytorch": "https://download.pytorch.org/whl/cpu/",
}


def reachable(source: str) -> bool:
    """Whether `source`, a key of OFFICIAL, answered within PROBE_SECONDS."""
    return source in _find_answering()


@functools.cache
def _find_answering() -> frozenset[str]:
    answered: set[str] = set()

    def probe(name: str, url: str) -> None:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_SECONDS):  # noqa: S310 (addresses above, all https)
                answered.add(name)
        except urllib.error.HTTPError:
            answered.add(name)  # an error is an answer too: the registry, for example, requires a token
        except OSError:
            pass

    # Daemon threads, because name resolution has no time limit: a late thread is abandoned.
    probes = [threading.Thread(target=probe, args=item, daemon=True) for item in OFFICIAL.items()]
    for thread in probes:
        thread.start()
    for thread in probes:
        thread.join(PROBE_SECONDS)
    return frozenset(answered)
