"""The machine under the steps: programs that are run once (programs) or stay (daemon, launch, owner), what those leave
behind (leftovers, host_network, packet_filter), what answers out there (network), free ports, Debian's packages.

It knows no step: whoever calls says which daemon, which package, which folder.
"""
