"""A stand-in for the official `pulumi-resource-docker`, used only where that one cannot be had.

One file per resource: image.py, container.py, network.py, remote_image.py, all on the real Docker engine. context.py is
what a build reads, and its digest; health.py and upload.py are parts of a container; naming.py the names that nobody
gave; replacement.py the diff of what has no update; engine.py the connection and its errors.
"""
