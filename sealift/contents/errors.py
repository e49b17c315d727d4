"""Errors of the contents of an artifact."""


class ContentsError(ValueError):
    """A value is missing or does not fit its field. The text is its place, such as `description.inputBins.age`."""
