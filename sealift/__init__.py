"""Sealift's library, which `components/` and `training/` use.

Nothing is imported here: programs import the package that they need, such as `sealift.sealing`.
"""
