"""Is the way to an official part open? One quick look per run decides, so that a dead network costs seconds, not
minutes.
"""

import functools
import threading
import urllib.error
import urllib.request

PROBE_SECONDS = 4.0

# Where official parts come from. All are asked at once, once per run.
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
            answered.add(name)  # an answer all the same: the registry wants a token, for one
        except OSError:
            pass

    # Daemon threads: name resolution cannot be given a time limit, so a late one is left behind.
    probes = [threading.Thread(target=probe, args=item, daemon=True) for item in OFFICIAL.items()]
    for thread in probes:
        thread.start()
    for thread in probes:
        thread.join(PROBE_SECONDS)
    return frozenset(answered)
