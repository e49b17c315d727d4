"""Taking back what our daemons changed in the packet filter: theirs goes, everything else stays."""

from bootstrap import host_network

BEFORE = [
    "*filter",
    ":INPUT ACCEPT",
    ":FORWARD ACCEPT",
    ":CNI-OTHER -",
    "-A INPUT -i lo -j ACCEPT",
    "-A FORWARD -j CNI-OTHER",
    "COMMIT",
    "*nat",
    ":POSTROUTING ACCEPT",
    "COMMIT",
]
NOW = [
    "*filter",
    ":INPUT ACCEPT",
    ":FORWARD DROP",
    ":CNI-OTHER -",
    ":KUBE-FORWARD -",
    ":DOCKER -",
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -s 192.0.2.7/32 -j DROP",
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    "-A FORWARD -o docker0 -j DOCKER",
    "-A FORWARD -j CNI-OTHER",
    "-A KUBE-FORWARD -j ACCEPT",
    "COMMIT",
    "*nat",
    ":POSTROUTING ACCEPT",
    ":CNI-210d8eb92f3e -",
    "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    '-A POSTROUTING -s 10.217.0.2/32 -m comment --comment "name: \\"sealift\\" id: \\"c48\\"" -j CNI-210d8eb92f3e',
    "COMMIT",
]


def test_our_rules_go_before_our_chains_and_policies_return() -> None:
    """A chain can only be deleted when no rule leads there."""
    commands = [" ".join(command) for command in host_network.undo(BEFORE, NOW)]

    assert commands == [
        "-t filter -D FORWARD -m comment --comment kubernetes forwarding rules -j KUBE-FORWARD",
        "-t filter -D FORWARD -o docker0 -j DOCKER",
        "-t nat -D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        '-t nat -D POSTROUTING -s 10.217.0.2/32 -m comment --comment name: "sealift" id: "c48" -j CNI-210d8eb92f3e',
        "-t filter -F KUBE-FORWARD",
        "-t filter -F DOCKER",
        "-t nat -F CNI-210d8eb92f3e",
        "-t filter -X KUBE-FORWARD",
        "-t filter -X DOCKER",
        "-t nat -X CNI-210d8eb92f3e",
        "-t filter -P FORWARD ACCEPT",
    ]


def test_a_comment_is_one_word_without_its_quotes() -> None:
    deletion = host_network.undo(BEFORE, NOW)[0]

    assert "kubernetes forwarding rules" in deletion


def test_what_the_user_added_meanwhile_stays() -> None:
    assert not [command for command in host_network.undo(BEFORE, NOW) if "192.0.2.7/32" in command]


def test_what_was_there_before_stays() -> None:
    """Another program's CNI chain, and rules that lead to it, are not ours though their name looks like it."""
    assert not [command for command in host_network.undo(BEFORE, NOW) if "CNI-OTHER" in command]


def test_nothing_changed_means_nothing_to_do() -> None:
    assert host_network.undo(NOW, NOW) == []
