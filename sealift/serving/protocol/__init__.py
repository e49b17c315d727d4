"""The serving protocols: operations on a model, and their requests and responses. They know no HTTP.

A new protocol is a file in this folder that implements contract.py, and its name in PROTOCOLS.
"""

from typing import Final

from sealift.serving.protocol import open_inference
from sealift.serving.protocol.contract import ServingProtocol

PROTOCOLS: Final[tuple[ServingProtocol, ...]] = (open_inference,)


def refusal(message: str) -> bytes:
    """Makes the response to a request that belongs to no protocol, in the first protocol's form."""
    return PROTOCOLS[0].error(message)
