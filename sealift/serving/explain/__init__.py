"""Why a model answers a row as it does, where the server is told to explain.

shapley.py         a game → what each player adds
row_game.py        a row and the reference → a game, which the model plays
reference.py       the usual row, and what its values are called
explainer.py       rows → their explanation, within bounds
open_inference.py  a request's bytes → its answer's
queue.py           which is worked on, and which wait
"""

from sealift.serving.explain.open_inference import operations
from sealift.serving.explain.queue import Queue
from sealift.serving.protocol.open_inference import error

__all__ = ["Queue", "error", "operations"]
