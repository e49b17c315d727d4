"""What bounds the speed of sealing: AES-256-GCM and SHA-256 of one segment after another, and `cp` of a file."""

import hashlib
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEGMENT: Final = 1 << 20
TAG: Final = 16
NONCE: Final = bytes(12)


def aes_seconds(mib: int) -> float:
    """Returns the seconds in which one thread encrypts one segment again and again, into one buffer."""
    cipher, plain, out = AESGCM(bytes(32)), os.urandom(SEGMENT), bytearray(SEGMENT + TAG)
    began = time.perf_counter()
    for _ in range(mib):
        cipher.encrypt_into(NONCE, plain, None, out)
    return time.perf_counter() - began


def hashed_aes_seconds(mib: int) -> float:
    """Returns the seconds in which all cores encrypt and hash segments, each core one again and again."""
    workers = len(os.sched_getaffinity(0))
    cipher, plain = AESGCM(bytes(32)), os.urandom(SEGMENT)

    def work(count: int) -> None:
        out = bytearray(SEGMENT + TAG)
        for _ in range(count):
            cipher.encrypt_into(NONCE, plain, None, out)
            hashlib.sha256(out).digest()

    shares = [len(range(worker, mib, workers)) for worker in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        began = time.perf_counter()
        list(pool.map(work, shares))
        return time.perf_counter() - began


def copy_seconds(source: Path, to: Path) -> float:
    """Returns the seconds of `cp`."""
    began = time.perf_counter()
    subprocess.run(["cp", source, to], check=True)
    return time.perf_counter() - began
