"""Names of the local node's pod network. They are here, below the node, because they identify its bridge and its packet
filter rules when those are removed.
"""

BRIDGE = "sealift0"
CNI_NETWORK = "sealift"
