"""A stand-in for the official `pulumi-resource-docker`, used only where that one cannot be had.

image.py is `docker:index/image:Image` on the real Docker engine; context.py is what a build reads, and its digest;
engine.py is the connection and its errors.
"""
