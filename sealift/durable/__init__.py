"""Files for all packages: the project's only way to write a file, and its only digest of a set of files.

Standard library only.
"""
