"""The machine under the steps: programs that run once (programs) or in the background (daemon, launch, owner), their
remains (leftovers, host_network, packet_filter), the network, free ports, Debian's packages.

It knows no step: callers pass the daemon, the package, the folder.
"""
