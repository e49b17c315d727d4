"""Taking back what our daemons changed in the packet filter: theirs goes, everything else stays."""

import pytest

from bootstrap.system import packet_filter

BEFORE = """\
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:CNI-0123456789abcdef01234567 -
-A INPUT -i lo -j ACCEPT
-A FORWARD -j CNI-0123456789abcdef01234567
COMMIT
*nat
:POSTROUTING ACCEPT
COMMIT
""".splitlines()
POD = "CNI-210d8eb92f3e4b5c6d7e8f90"
COMMENT = '-m comment --comment "name: \\"sealift\\" id: \\"c48\\""'
# As dockerd 20.10, kube-proxy 1.34 and the CNI plugins 1.1 write them.
ADDED = f"""\
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:CNI-0123456789abcdef01234567 -
:DOCKER -
:DOCKER-USER -
:KUBE-FORWARD -
-A INPUT -i lo -j ACCEPT
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i br-0123456789ab -o br-0123456789ab -j ACCEPT
-A FORWARD -j CNI-0123456789abcdef01234567
-A DOCKER-USER -j RETURN
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
*nat
:POSTROUTING ACCEPT
:KUBE-SEP-ABCDEFGHIJ234567 -
:{POD} -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 5000 -j MASQUERADE
-A POSTROUTING -s 10.217.0.2/32 {COMMENT} -j {POD}
-A {POD} -d 10.217.0.0/24 {COMMENT} -j ACCEPT
COMMIT
""".splitlines()
BRIDGES = ("docker0", "br-0123456789ab")
THEIRS = [
    "INPUT -s 172.18.0.0/16 -j ACCEPT",
    "INPUT -i docker0 -j ACCEPT",
    "INPUT -i sealift0 -p tcp -m tcp --dport 53 -j ACCEPT",
    "FORWARD -s 10.217.0.0/24 -j ACCEPT",
    "FORWARD -i br-ba9876543210 ! -o br-ba9876543210 -j ACCEPT",
    'FORWARD -m comment --comment "instead of DOCKER" -j ACCEPT',
    "POSTROUTING -s 172.17.0.0/16 -j MASQUERADE",
    "POSTROUTING -s 192.0.2.1/32 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
    'POSTROUTING -s 10.88.0.2/32 -m comment --comment "name: \\"podman\\" id: \\"d\\"" -j CNI-aaaaaaaaaaaaaaaaaaaaaaaa',
]


def said(before: list[str], now: list[str], bridges: tuple[str, ...] = BRIDGES) -> list[str]:
    return [" ".join(command) for command in packet_filter.undo(before, now, bridges)]


def test_our_rules_go_before_our_chains() -> None:
    """A chain can only be deleted when no rule leads there."""
    assert said(BEFORE, ADDED) == [
        "-t filter -D INPUT -j KUBE-FIREWALL",
        "-t filter -D FORWARD -m comment --comment kubernetes forwarding rules -j KUBE-FORWARD",
        "-t filter -D FORWARD -j DOCKER-USER",
        "-t filter -D FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-t filter -D FORWARD -o docker0 -j DOCKER",
        "-t filter -D FORWARD -i docker0 ! -o docker0 -j ACCEPT",
        "-t filter -D FORWARD -i br-0123456789ab -o br-0123456789ab -j ACCEPT",
        "-t nat -D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        "-t nat -D OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
        "-t nat -D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "-t nat -D POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 5000 -j MASQUERADE",
        f'-t nat -D POSTROUTING -s 10.217.0.2/32 -m comment --comment name: "sealift" id: "c48" -j {POD}',
        "-t filter -F DOCKER",
        "-t filter -F DOCKER-USER",
        "-t filter -F KUBE-FORWARD",
        "-t nat -F KUBE-SEP-ABCDEFGHIJ234567",
        f"-t nat -F {POD}",
        "-t filter -X DOCKER",
        "-t filter -X DOCKER-USER",
        "-t filter -X KUBE-FORWARD",
        "-t nat -X KUBE-SEP-ABCDEFGHIJ234567",
        f"-t nat -X {POD}",
    ]


def test_a_comment_is_one_word_without_its_quotes() -> None:
    assert any("kubernetes forwarding rules" in command for command in packet_filter.undo(BEFORE, ADDED, BRIDGES))


@pytest.mark.parametrize("rule", THEIRS)
def test_a_rule_that_the_user_added_meanwhile_stays(rule: str) -> None:
    """Also where it names a network, a link or a chain of our daemons."""
    table = "*nat" if rule.startswith("POSTROUTING") else "*filter"
    at = ADDED.index("COMMIT", ADDED.index(table))

    assert said(BEFORE, [*ADDED[:at], f"-A {rule}", *ADDED[at:]]) == said(BEFORE, ADDED)


@pytest.mark.parametrize("chain", ["DOCKER-MINE", "KUBE-MINE", "CNI-aaaaaaaaaaaaaaaaaaaaaaaa", "MINE"])
def test_a_chain_that_the_user_added_meanwhile_stays(chain: str) -> None:
    assert said(BEFORE, ["*filter", f":{chain} -", *ADDED]) == said(BEFORE, ADDED)


def test_a_policy_that_the_user_set_meanwhile_stays() -> None:
    """Our daemons set none, as forwarding is on before they start."""
    assert said(BEFORE, [line.replace(":INPUT ACCEPT", ":INPUT DROP") for line in ADDED]) == said(BEFORE, ADDED)


def test_a_chain_that_the_user_has_filled_stays_as_it_is() -> None:
    at = ADDED.index("-A DOCKER-USER -j RETURN")
    filled = [*ADDED[:at], "-A DOCKER-USER -s 192.0.2.7/32 -j DROP", *ADDED[at:]]

    assert [command for command in said(BEFORE, filled) if "DOCKER-USER" in command] == [
        "-t filter -D FORWARD -j DOCKER-USER"
    ]


def test_a_chain_that_a_rule_of_the_users_leads_to_is_only_emptied() -> None:
    at = ADDED.index("-A DOCKER-USER -j RETURN")
    led = [*ADDED[:at], "-A INPUT -s 192.0.2.7/32 -j KUBE-FORWARD", *ADDED[at:]]

    assert set(said(BEFORE, ADDED)) - set(said(BEFORE, led)) == {"-t filter -X KUBE-FORWARD"}


def test_another_docker_engines_rules_and_chains_stay() -> None:
    assert not [command for command in said(BEFORE, ADDED, bridges=()) if "DOCKER" in command or "docker0" in command]


def test_what_was_there_before_stays() -> None:
    assert not [command for command in said(BEFORE, ADDED) if "CNI-0123456789abcdef01234567" in command]
    assert said(ADDED, ADDED) == []
