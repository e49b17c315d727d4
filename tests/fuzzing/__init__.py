"""The request parser under bytes that nobody meant: the property, its seeds, and atheris to look for more."""
