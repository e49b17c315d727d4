"""The names of the local node's pod network. They stand here, below the node that uses them, as they are how its bridge
and its packet filter rules are known as ours when they are taken back.
"""

BRIDGE = "sealift0"
CNI_NETWORK = "sealift"
