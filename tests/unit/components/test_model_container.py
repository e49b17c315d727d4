"""The component on Pulumi's mocks: what is registered, what is secret, and what is refused before anything is."""

from typing import Any

import pulumi
import pytest

from components.model_container import ModelContainer
from tests.certificates import self_signed
from tests.unit.components.test_model_deployment import GOOD, KEY, Cluster, args, digest, event_loop, run

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
    with pytest.raises(pulumi.RunError, match="replicas is not a property"):
        serve(replicas=2)
