"""Stand-in for the official `pulumi-resource-kubernetes`, used only where that one cannot be had.

It takes the official SDK's resource types to a real API server and follows the official plugin's observable behaviour:
names, inputs, outputs, diffs, replace rules, awaits, and server-side apply with the same field managers. Where it
differs on purpose it fails sooner: an image that cannot be pulled, a container that keeps crashing and a pod that is
refused end the wait within seconds instead of ten minutes.

Not served: `…List` and `…Patch` types, Helm, Kustomize and YAML resources, `renderYamlToDirectory`, invokes.
"""
