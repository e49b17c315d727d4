"""Files, for every room: the one way in which this project writes one, and the one digest of a set of them.

Standard library only.
"""
