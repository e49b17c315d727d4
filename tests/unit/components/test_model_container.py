"""The component on Pulumi's mocks: what is registered, what is secret, and what is refused before anything is."""

from typing import Any

import pulumi
import pytest

from components.model_container import ModelContainer
from components.settings.server import NOBODY
from tests.certificates import self_signed
from tests.unit.components.test_model_deployment import GOOD, KEY, Cluster, args, digest, event_loop, run, unknown

__all__ = ["event_loop"]


class Engine(Cluster):
    """Answers as a Docker engine would."""

    def new_resource(self, args: Any) -> tuple[str | None, dict[Any, Any]]:
        if args.typ != "docker:index/container:Container":
            return super().new_resource(args)
        self.objects["Container"] = args.inputs
        return "c0ffee", args.inputs | {"name": "model-1a2b3c4"}


def serve(**changed: Any) -> dict[str, Any]:
    engine = run(lambda: ModelContainer("model", args(**changed)).endpoints, answers=Engine())[0]
    return engine.objects


def files(container: Any) -> dict[str, str]:
    """Contents by path; a secret is a wrapper to the mocks."""
    uploads = container["uploads"]
    return {one["file"]: one["content"] for one in uploads.get("value", uploads) if isinstance(one, dict)}


def test_a_container_gets_its_files_and_nothing_secret_but_in_them() -> None:
    container = serve()["Container"]

    given = files(container)
    assert given["/etc/sealift/key/private.pem"] == KEY
    assert given["/etc/sealift/manifest/manifest.json"] == GOOD["manifest"]
    assert digest("model-default") in given["/etc/sealift/access/access.json"]
    assert KEY not in str({name: value for name, value in container.items() if name != "uploads"})


def test_its_properties_have_the_engine_s_names() -> None:
    container = serve(memoryLimit="256Mi")["Container"]

    assert (container["memory"], container["memorySwap"]) == (256, 256)
    assert container["healthcheck"]["startPeriod"] == "2m0s"
    assert container["mustRun"] and container["wait"]


def test_without_access_control_there_is_no_file_of_it_and_no_key() -> None:
    objects = serve(auth="none")

    assert not any(name.startswith("ApiKey") for name in objects)
    assert not any("access" in name for name in files(objects["Container"]))


def test_a_certificate_goes_with_its_key() -> None:
    pem = self_signed()
    given = files(serve(tlsCertificate=pem.certificate, tlsPrivateKey=pulumi.Output.secret(pem.key))["Container"])

    assert (given["/etc/sealift/tls/tls.crt"], given["/etc/sealift/tls/tls.key"]) == (pem.certificate, pem.key)


def test_what_only_kubernetes_has_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="replicas is not a setting"):
        serve(replicas=2)


def previewed(**changed: Any) -> dict[str, Any]:
    """Its objects where training is to be done."""

    def program() -> object:
        artifact = {name: unknown() for name in ("image", "manifest", "artifactId", "payloadDigest")}
        return ModelContainer("model", args(**artifact, **changed)).endpoints

    return run(program, preview=True, answers=Engine())[0].objects


def unknown_paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, pulumi.output.Unknown):
        return {path}
    if isinstance(value, dict):
        return {found for name, item in value.items() for found in unknown_paths(item, f"{path}.{name}".lstrip("."))}
    if isinstance(value, list):
        return {found for index, item in enumerate(value) for found in unknown_paths(item, f"{path}[{index}]")}
    return set()


def test_a_preview_of_a_new_model_leaves_open_only_what_hangs_on_it() -> None:
    container = previewed()["Container"]
    command, uploads = container["command"], container["uploads"]["value"]

    ids = {f"command[{command.index(option) + 1}]" for option in ("--artifact-id", "--payload-digest")}
    paths = [one["file"] for one in uploads]
    manifest = f"uploads.value[{paths.index('/etc/sealift/manifest/manifest.json')}].content"
    assert unknown_paths(container) == {"image", manifest, *ids}


def test_keys_none_of_which_may_predict_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: said.append(message))

    serve(apiKeys={"dashboard": {"scopes": ["metrics"]}, "default": {"revoked": True}})

    assert said == [NOBODY]


def test_the_names_of_those_who_are_let_in_are_a_label() -> None:
    def names(**changed: Any) -> list[str]:
        labels = serve(**changed)["Container"]["labels"]
        return [one["value"] for one in labels if one["label"] == "sealift.dev/api-keys"]

    assert names(apiKeys={"app": {}}) == ["app,default"]
    assert names(auth="none") == []


def test_the_preview_of_a_known_model_tells_of_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, resource: said.append(message))

    run(lambda: ModelContainer("model", args()).endpoints, preview=True, answers=Engine())

    assert said == []
