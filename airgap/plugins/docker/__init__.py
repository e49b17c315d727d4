"""Stand-in for the official `pulumi-resource-docker`, used only if that one is not available.

One file per resource: image.py, container.py, network.py, remote_image.py, all on the real Docker engine. context.py
reads a build's context and computes its digest. health.py and upload.py are parts of a container, naming.py makes
automatic names, replacement.py is the diff of resources without an update, engine.py the connection and its errors.
"""
