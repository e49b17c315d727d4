"""Packet filter rules and chains of our daemons, and the commands that remove them.

Rules are compared word for word with those that dockerd, kube-proxy, kubelet and the CNI plugins write. A rule that
only mentions one of their interfaces, networks or chains is the user's.
"""

import ipaddress
import re
import shutil
from collections.abc import Collection, Iterable, Sequence

from bootstrap.system import programs
from bootstrap.system.pod_network import CNI_NETWORK

FILTERS = ("iptables", "ip6tables")
# From Kubernetes' pkg/proxy/iptables and pkg/kubelet, Docker's libnetwork, and the CNI plugins' pkg/utils.
KUBERNETES_CHAIN = re.compile(
    r"KUBE-(?:SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|FORWARD|FIREWALL|PROXY-FIREWALL|MARK-MASQ|MARK-DROP"
    r"|PROXY-CANARY|KUBELET-CANARY|IPTABLES-HINT|(?:SVC|SVL|SEP|FW|EXT)-[A-Z2-7]{16})"
)
DOCKER_CHAIN = re.compile(r"DOCKER(?:-USER|-FORWARD|-BRIDGE|-CT|-INTERNAL|-ISOLATION-STAGE-[12])?")
POD_COMMENT = rf'-m comment --comment "name: \\"{CNI_NETWORK}\\" id: \\"[^"]+\\""'
POD_RULE = rf"-A POSTROUTING -s \S+ {POD_COMMENT} -j (?P<pod>CNI-[0-9a-f]{{24}})"
KUBERNETES_RULE = (
    rf"{POD_RULE}|-A (?:INPUT|OUTPUT) -j KUBE-FIREWALL"
    r'|-A \S+ (?:-m conntrack --ctstate NEW )?-m comment --comment "kubernetes [a-z -]+" -j KUBE-[A-Z-]+'
)
DOCKER_RULE = (
    r"-A FORWARD -j DOCKER-(?:USER|FORWARD|ISOLATION-STAGE-1)"
    r"|-A FORWARD -o (?:BRIDGES) (?:-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT|-j DOCKER)"
    r"|-A FORWARD -i (?P<bridge>BRIDGES) (?:! )?-o (?P=bridge) -j (?:ACCEPT|DROP)"
    r"|-A (?:PREROUTING|OUTPUT)(?: ! -d (?:127\.0\.0\.0/8|::1/128))? -m addrtype --dst-type LOCAL -j DOCKER"
    r"|-A POSTROUTING -s (?P<network>\S+) ! -o (?:BRIDGES) -j MASQUERADE"
    r"|-A PREROUTING -d \S+ ! -i (?:BRIDGES) -j DROP"
)
# For a container that connects to a port that it publishes itself.
HAIRPIN = re.compile(r"-A POSTROUTING -s (\S+) -d \1 -p (\w+) -m \2 --dport \d+ -j MASQUERADE")
# The chain that Docker reserves for the user, and the only rule that dockerd adds to it.
FOR_THE_USER, UNUSED = "DOCKER-USER", "-A DOCKER-USER -j RETURN"

Line = tuple[str, str]  # table, line as saved


def rules(tool: str) -> list[str]:
    """Returns all tables in the form of `iptables-save`, without counters and comments."""
    if shutil.which(f"{tool}-save") is None:
        return []
    saved = programs.ask([f"{tool}-save"]) or ""
    return [re.sub(r" \[\d+:\d+\]$", "", line) for line in saved.splitlines() if not line.startswith("#")]


def undo(before: Sequence[str], now: Sequence[str], bridges: Collection[str]) -> list[list[str]]:
    """Returns commands that remove our daemons' additions to `now` since `before`: rules first, then chains.

    `bridges` are our Docker engine's bridges. If empty, all of Docker's rules belong to another engine. A chain of ours
    stays if a user's rule is in it or jumps to it.
    """
    existing, present = set(_in_tables(before)), _in_tables(now)
    new = [one for one in present if one not in existing]
    added = _find_added_rules(new, bridges)
    chains = _find_added_chains(new, docker=bool(bridges))
    foreign = [
        (table, line)
        for table, line in present
        if line.startswith("-A")
        and (table, line) not in added
        and ((table, _chain(line)) not in chains or (_chain(line) == FOR_THE_USER and line != UNUSED))
    ]
    filled = {(table, _chain(line)) for table, line in foreign}
    wanted = {(table, _words(line)[-1]) for table, line in foreign} | filled
    return [
        *(["-t", table, "-D", *_words(line)[1:]] for table, line in new if (table, line) in added),
        *(["-t", table, "-F", chain] for table, chain in chains if (table, chain) not in filled),
        *(["-t", table, "-X", chain] for table, chain in chains if (table, chain) not in wanted),
    ]


def _find_added_rules(new: Sequence[Line], bridges: Collection[str]) -> set[Line]:
    """Returns the daemons' rules in chains that are not theirs."""
    docker = DOCKER_RULE.replace("BRIDGES", "|".join(map(re.escape, bridges)))
    form = re.compile(f"{KUBERNETES_RULE}|{docker}" if bridges else KUBERNETES_RULE)
    found = {one: match.groupdict() for one in new if (match := form.fullmatch(one[1]))}
    networks = [ipaddress.ip_network(groups["network"]) for groups in found.values() if groups.get("network")]
    hairpins = {
        one
        for one in new
        if (match := HAIRPIN.fullmatch(one[1]))
        and any(ipaddress.ip_network(match[1]).subnet_of(network) for network in networks)  # type: ignore[arg-type]
    }
    return {*found, *hairpins}


def _find_added_chains(new: Sequence[Line], *, docker: bool) -> list[Line]:
    pods = {(table, match["pod"]) for table, line in new if (match := re.fullmatch(POD_RULE, line))}
    named = [(table, _chain(line)) for table, line in new if line.startswith(":")]
    return [
        (table, chain)
        for table, chain in named
        if KUBERNETES_CHAIN.fullmatch(chain) or (docker and DOCKER_CHAIN.fullmatch(chain)) or (table, chain) in pods
    ]


def _in_tables(lines: Iterable[str]) -> list[Line]:
    table = ""
    found: list[Line] = []
    for line in lines:
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":", "-A")):
            found.append((table, line))
    return found


def _chain(line: str) -> str:
    return line[1:].split()[0] if line.startswith(":") else line.split()[1]


def _words(rule: str) -> list[str]:
    """Splits a saved rule into words. Comments are quoted, and quotes in them are escaped."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', rule)
    return [re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in found]
