"""The provider's settings: where they come from, and which of them mean another cluster."""

import json
from pathlib import Path

import pytest

from airgap.plugins.kubernetes.cluster import Cluster
from airgap.plugins.kubernetes.configuration import Configuration, changed_settings, default_namespace
from airgap.plugins.kubernetes.errors import ClusterUnreachable, NotSupported
from sealift.provider import UNKNOWN, Properties


def kubeconfig(server: str = "https://one", *, current: str = "a", **context: str) -> str:
    contexts = [
        {"name": "a", "context": {"cluster": "c", **context}},
        {"name": "b", "context": {"cluster": "d", "namespace": "of-b"}},
    ]
    clusters = [{"name": "c", "cluster": {"server": server}}, {"name": "d", "cluster": {"server": "https://other"}}]
    return json.dumps({"current-context": current, "contexts": contexts, "clusters": clusters})


def test_a_setting_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", "true")
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")

    found = Configuration.from_variables({"kubernetes:config:enableConfigMapMutable": "false"})

    assert (found.mutable_config_maps, found.delete_unreachable, found.mutable_secrets) == (False, True, False)


def test_a_setting_that_is_not_served_is_refused() -> None:
    with pytest.raises(NotSupported, match="renderYamlToDirectory"):
        Configuration.from_variables({"kubernetes:config:renderYamlToDirectory": "yaml"})


@pytest.mark.parametrize(
    ("settings", "namespace"),
    [
        (Configuration(kubeconfig=kubeconfig()), "default"),
        (Configuration(kubeconfig=kubeconfig(namespace="team")), "team"),
        (Configuration(kubeconfig=kubeconfig(), context="b"), "of-b"),
        (Configuration(kubeconfig=kubeconfig(namespace="team"), namespace="mine"), "mine"),
        (Configuration(kubeconfig="/nonexistent/kubeconfig"), "default"),
        (Configuration(kubeconfig="{"), "default"),
    ],
)
def test_objects_without_a_namespace_go_where_the_context_says(settings: Configuration, namespace: str) -> None:
    assert default_namespace(settings) == namespace


def test_the_ambient_kubeconfig_may_be_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(kubeconfig(namespace="team"))
    monkeypatch.setenv("KUBECONFIG", f"/nonexistent/one:{tmp_path / 'config'}")

    assert default_namespace(Configuration()) == "team"


@pytest.mark.parametrize(
    ("olds", "news", "changed", "replaces"),
    [
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig()}, [], []),
        ({"version": "1"}, {"version": "2"}, [], []),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig("https://two")}, ["kubeconfig"], ["kubeconfig"]),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig(namespace="team")}, ["kubeconfig"], []),
        (
            {"kubeconfig": kubeconfig()},
            {"kubeconfig": kubeconfig(), "context": "b"},
            ["context"],
            ["context"],
        ),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": UNKNOWN}, ["kubeconfig"], ["kubeconfig"]),
        ({"kubeconfig": "/nonexistent/one"}, {"kubeconfig": kubeconfig()}, ["kubeconfig"], []),
        ({}, {"namespace": "team"}, ["namespace"], []),
    ],
    ids=["same", "release", "server", "namespace in it", "context", "unknown", "gone", "namespace"],
)
def test_only_another_cluster_replaces_what_is_in_it(
    olds: Properties, news: Properties, changed: list[str], replaces: list[str]
) -> None:
    assert changed_settings(olds, news) == (changed, replaces)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Configuration(kubeconfig="/nonexistent/kubeconfig"), "/nonexistent/kubeconfig: No such file"),
        (Configuration(kubeconfig=kubeconfig(), context="nope"), "nope"),
        (Configuration(kubeconfig='{"users": [{"token": "hush"'), "neither YAML nor JSON"),
        (Configuration(kubeconfig=kubeconfig("http://127.0.0.1:1")), r"http://127.0.0.1:1 \(context a of .*refused"),
    ],
    ids=["no file", "no such context", "broken", "nobody listens"],
)
def test_a_cluster_that_cannot_be_reached_is_named_with_the_way_out(settings: Configuration, told: str) -> None:
    with pytest.raises(ClusterUnreachable, match=told) as caught:
        Cluster(settings)

    assert caught.value.hint
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None or "hush" not in str(caught.value.__cause__)
