"""Settings of each component, declared once.

The sections of a stack's config, the components' `args`, the plugin's schema and docs/reference/configuration.md follow
from these declarations. No module here knows Pulumi, Docker or Kubernetes.
"""
