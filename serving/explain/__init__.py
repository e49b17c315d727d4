"""Why a model answers a row as it does, where the server is told to explain.

shapley.py     a game → what each player adds
row_game.py    a row and the reference → a game, which the model plays
reference.py   the usual row, and what its values are called
explainer.py   rows → their explanation, within bounds
"""
