"""Set-up, start, stop and test of Sealift on one machine: `python3 -m bootstrap --help`, or the same words with `make`.

Set-up is a list of steps (steps.py), one file each. A step uses what the machine has; else gets the part the official
way where the network allows it; else the air-gapped way from airgap/. Standard library only, because it runs before
anything is installed. It knows nothing of what the stack does: it starts `pulumi`, `pytest` and the checks.

    command line     __main__.py → commands.py → up.py, down.py, test.py, check.py, status.py; prediction.py
    the steps        steps.py, in this order: stack_state, python_environment, engine, plugins, docker_engine, registry,
                     base_image, kubernetes, wheels
    what they use    layout (paths), console (lines on the terminal), programs (run one), network (is it there?),
                     debian (packages), go_program (builds), content (keys), lock_file, image_archive, ports,
                     daemon + launch + owner (processes that stay), environment (variables, .tools/activate)
    the local node   node.py and cluster_api.py over airgap/cluster/; host_network.py and leftovers.py
                     leave nothing behind
"""
