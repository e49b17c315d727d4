"""Explanations of predictions, if the server runs with --explain.

shapley.py         a game → the contribution of each player
row_game.py        a row and the reference → a game, which the model plays
reference.py       the usual row, and the names of its values
explainer.py       rows → their explanation, within limits
open_inference.py  bytes of a request → bytes of a response
queue.py           the queue of explanations
"""

from sealift.serving.explain.open_inference import operations
from sealift.serving.explain.queue import Queue
from sealift.serving.protocol.open_inference import error

__all__ = ["Queue", "error", "operations"]
