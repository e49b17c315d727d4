"""The parts that set-up provides, one file each, in the order of order.py: stack_state, python_environment, engine,
plugins, docker_engine, registry, base_image, kubernetes, wheels. Before tests, also yaml_host, prometheus and nginx.

A step gets other steps' results from the context's facts. If it needs more, it comes after the step that it imports.
"""
