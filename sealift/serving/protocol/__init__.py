"""The serving protocols: what clients may ask of a model, each in its own words. They know no HTTP.

A new one is a file in this folder that has what contract.py asks for, and its name in PROTOCOLS.
"""

from typing import Final

from sealift.serving.protocol import open_inference
from sealift.serving.protocol.contract import ServingProtocol

PROTOCOLS: Final[tuple[ServingProtocol, ...]] = (open_inference,)


def refusal(message: str) -> bytes:
    """An answer to what reaches none of them: in the first one's words."""
    return PROTOCOLS[0].error(message)
