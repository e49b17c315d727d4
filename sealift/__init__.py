"""Sealift's own library, on which `components/` and `training/` stand. Nothing is imported here: programs import the
room they need, such as `sealift.sealing`.
"""
