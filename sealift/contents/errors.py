"""Errors of the contents of an artifact."""


class ContentsError(ValueError):
    """A value is missing, or not what its field takes. The text is its place, such as `description.inputBins.age`."""
