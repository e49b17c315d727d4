"""What each component can be told: its settings, declared once.

From these declarations follow the sections of a stack's config, the components' `args`, the plugin's schema and the
table of docs/configuration.md. None of them knows Pulumi, Docker or Kubernetes.
"""
