"""`ModelDeployment`: one sealed model, served from a namespace of its own on Kubernetes.

Only wires: what the objects say is in pod_spec.py, what a deployment may be in deployment_settings.py. Everything is
checked before the first object is registered, in previews too; values that a preview does not know yet are checked by
the update.
"""

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any, Final, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components import pod_spec
from components.deployment_settings import DeploymentSettings, component_name_problems, validate
from components.pod_spec import Spec
from settings.names import input_of
from settings.problem import Problem, report

ARTIFACT: Final = frozenset({"image", "manifest", "artifactId", "payloadDigest"})
"""Inputs that pass through to the cluster; all others shape the objects."""


class ModelDeployment(pulumi.ComponentResource):
    """Namespace, ResourceQuota, LimitRange, ServiceAccount, ConfigMap, Secret, Deployment and Service of one model."""

    url: pulumi.Output[str]
    """Where the model answers, known once it does: `http://127.0.0.1:NODEPORT`, or the Service's cluster address."""
    namespace: pulumi.Output[str]
    """Name of the namespace on the cluster."""
    service: pulumi.Output[str]
    """Name of the Service on the cluster."""
    deployment: pulumi.Output[str]
    """Name of the Deployment on the cluster."""
    endpoints: pulumi.Output[Mapping[str, str]]
    """Addresses by what they are for: live, ready, metadata, modelReady, infer."""

    def __init__(
        self,
        name: str,
        *,
        image: pulumi.Input[str],
        manifest: pulumi.Input[str],
        private_key: pulumi.Input[str],
        artifact_id: pulumi.Input[str],
        payload_digest: pulumi.Input[str],
        model_name: pulumi.Input[str],
        replicas: pulumi.Input[int] = 3,
        cpu_request: pulumi.Input[str] = "500m",
        memory_request: pulumi.Input[str] = "500Mi",
        cpu_limit: pulumi.Input[str] = "1",
        memory_limit: pulumi.Input[str] = "1Gi",
        quota: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        exposure: pulumi.Input[str] = "cluster",
        node_port: pulumi.Input[int] = 0,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param name: begins the objects' names on the cluster; at most 45 of a-z, 0-9 and "-".
        :param image: by digest, `repository@sha256:…`, as ModelImage's output `ref` is.
        :param manifest: of the sealed artifact; travels as a ConfigMap.
        :param private_key: PEM of the key that opens it; secret, travels as a Secret and is mounted as a file.
        :param artifact_id: the only artifact that the server will open, 32 hex digits.
        :param payload_digest: of its payload, 64 hex digits; the server refuses any other.
        :param model_name: what clients ask for: `/v2/models/NAME/infer`; a DNS-1123 label.
        :param replicas: pods, from 1; default 3.
        :param cpu_request: CPUs set aside for each pod; default "500m".
        :param memory_request: memory set aside for each pod; default "500Mi".
        :param cpu_limit: CPUs that a pod may use at most; default "1".
        :param memory_limit: memory beyond which a pod is killed; default "1Gi".
        :param quota: of the namespace: "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods".
            What is not given is derived. Refused if `replicas` pods plus one for rolling updates do not fit.
        :param exposure: "cluster" (default), or "nodePort" to open a port on every node.
        :param node_port: that port, from 30000 to 32767; default 0: Kubernetes chooses.
        :param labels: further labels for every object; default none.
        """
        inputs: dict[str, pulumi.Input[object]] = {
            "image": image,
            "manifest": manifest,
            "artifactId": artifact_id,
            "payloadDigest": payload_digest,
            "modelName": model_name,
            "replicas": replicas,
            "cpuRequest": cpu_request,
            "memoryRequest": memory_request,
            "cpuLimit": cpu_limit,
            "memoryLimit": memory_limit,
            "quota": quota or {},
            "exposure": exposure,
            "nodePort": node_port,
            "labels": labels or {},
        }
        # What needs no waiting for stops the program here, before anything is registered.
        plain = {property_name: value for property_name, value in inputs.items() if _is_plain(value)}
        _refuse(name, component_name_problems(name) + validate(plain)[1])
        super().__init__("sealift:index:ModelDeployment", name, {}, opts)

        given = _checked(name, inputs)
        settings = given.apply(lambda values: _settings(values))
        labels_of_all = given.apply(lambda v: pod_spec.object_labels(name, v["modelName"], _mapping(v["labels"])))
        child = pulumi.ResourceOptions(parent=self)

        namespace = kubernetes.core.v1.Namespace(
            name,
            metadata=_spec(labels_of_all.apply(lambda labels: {"labels": labels | pod_spec.pod_security_labels()})),
            opts=child,
        )
        metadata = {"namespace": namespace.metadata.name, "labels": labels_of_all}
        quota_object = kubernetes.core.v1.ResourceQuota(
            name, metadata=_spec(metadata), spec=_spec(settings.apply(pod_spec.resource_quota)), opts=child
        )
        limit_range = kubernetes.core.v1.LimitRange(
            name,
            metadata=_spec(metadata),
            spec=_spec(settings.apply(lambda known: pod_spec.limit_range(known.pod))),
            opts=child,
        )
        service_account = kubernetes.core.v1.ServiceAccount(
            name, metadata=_spec(metadata), automount_service_account_token=False, opts=child
        )
        manifest_object = kubernetes.core.v1.ConfigMap(
            f"{name}-manifest", metadata=_spec(metadata), data=_spec(pod_spec.manifest_data(manifest)), opts=child
        )
        key = kubernetes.core.v1.Secret(
            f"{name}-key",
            metadata=_spec(metadata),
            string_data=_spec(pod_spec.key_data(pulumi.Output.secret(private_key))),
            opts=child,
        )
        deployment = kubernetes.apps.v1.Deployment(
            name,
            metadata=_spec(metadata),
            spec=_spec(
                settings.apply(
                    lambda known: pod_spec.deployment(
                        known,
                        name,
                        labels=labels_of_all,
                        image=image,
                        artifact_id=artifact_id,
                        payload_digest=payload_digest,
                        manifest_name=manifest_object.metadata.name,
                        key_name=key.metadata.name,
                        service_account=service_account.metadata.name,
                    )
                )
            ),
            # Pods that the quota does not see are not counted, and pods without figures are refused by it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[quota_object, limit_range]),
        )
        service = kubernetes.core.v1.Service(
            name,
            metadata=_spec(metadata),
            spec=_spec(settings.apply(lambda known: pod_spec.service(known, name))),
            # After the pods: a Service waits for endpoints, and would wait for minutes on pods that cannot start.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )

        self.namespace = namespace.metadata.name
        self.service = service.metadata.name
        self.deployment = deployment.metadata.name
        # The Deployment's name is there so that whoever uses the URL waits until its pods are ready.
        self.url = pulumi.Output.all(settings, self.service, self.namespace, self.deployment).apply(
            lambda known: pod_spec.url(known[0], service_name=known[1], namespace=known[2])
        )
        self.endpoints = pulumi.Output.all(self.url, model_name).apply(lambda known: pod_spec.endpoints(*known))
        self.register_outputs(
            {
                "url": self.url,
                "namespace": self.namespace,
                "service": self.service,
                "deployment": self.deployment,
                "endpoints": self.endpoints,
            }
        )


def _checked(name: str, inputs: Mapping[str, pulumi.Input[object]]) -> pulumi.Output[dict[str, object]]:
    """The settings' values, once `inputs` are right. What is known is checked, even while something is not."""
    outputs = {key: pulumi.Output.from_input(value) for key, value in inputs.items()}
    # A value is held in a tuple, and None stands for an unknown one: what contains an unknown is itself not known.
    held = {
        key: value.apply(
            lambda known: None if pulumi.contains_unknowns(known) else (known,), run_with_unknowns=True
        )
        for key, value in outputs.items()
    }
    secret = {key: value.is_secret() for key, value in outputs.items()}

    def check(known: list[Any]) -> None:
        values: Mapping[str, tuple[object] | None] = known[0]
        problems = validate({key: value[0] for key, value in values.items() if value is not None})[1]
        is_secret: Mapping[str, bool] = known[1]
        _refuse(name, [_hidden(one) if is_secret.get(input_of(one.property)) else one for one in problems])

    # Unsecret, because its value is None: a secret among the inputs makes nothing else secret.
    all_known = pulumi.Output.all(pulumi.Output.all(**held), pulumi.Output.all(**secret))
    passed = pulumi.Output.unsecret(all_known.apply(check))
    settings = {key: value for key, value in inputs.items() if key not in ARTIFACT}
    return passed.apply(lambda _: pulumi.Output.all(**settings))


def _hidden(problem: Problem) -> Problem:
    """What is wrong with a secret, without its value."""
    return Problem(problem.property, "is not allowed; it is a secret, so it is not shown", problem.hint)


def _settings(values: Mapping[str, object]) -> DeploymentSettings:
    settings, problems = validate(values)
    if settings is None:
        raise AssertionError(f"internal error: problems passed the check: {', '.join(map(str, problems))}")
    return settings


def _refuse(name: str, problems: list[Problem]) -> None:
    """Ends the program with all the problems and without a traceback, if there are any."""
    if problems:
        raise pulumi.RunError(report(f'ModelDeployment "{name}" cannot be made', problems))


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(item) for item in value.values())
    return not isinstance(value, pulumi.Output) and not isawaitable(value)


def _mapping(value: object) -> Mapping[str, str]:
    return cast("Mapping[str, str]", value)


def _spec(spec: Mapping[str, object] | pulumi.Output[Spec]) -> Any:
    """The Kubernetes SDK takes camelCase dictionaries as the API has them; its types know only its own classes."""
    return spec
