"""Stand-in for the official `pulumi-resource-kubernetes`, used only if that one is not available.

It sends the official SDK's resource types to a real API server and follows the official plugin's observable behaviour:
names, inputs, outputs, diffs, replace rules, awaits, and server-side apply with the same field managers. It differs on
purpose only in failing sooner: an image that cannot be pulled, a container that keeps crashing and a refused pod end
the wait within seconds instead of ten minutes.

Not served: `…List` and `…Patch` types, Helm, Kustomize and YAML resources, `renderYamlToDirectory`, invokes.
"""
