"""Set-up, start, stop and test of Sealift on one machine: `python3 -m bootstrap --help`, or the same words with `make`.

Set-up is a list of steps, one file each. A step uses what the machine has; else gets the part the official way where
the network allows it; else the air-gapped way from airgap/. Standard library only, because it runs before anything is
installed. It knows nothing of what the stack does: it starts `pulumi`, `pytest` and the checks.

    __main__.py → command_line.py   which Python, which command; problems are shown here
    commands/                       one file per command: up, down, test, check, docs, report, status
    steps/                          one file per part that set-up provides; order.py is the list
    node/                           the local Kubernetes node, which the step kubernetes.py starts
    go_program, image_archive, lock_file      what steps and node build with
    context, over console, environment, layout, content, errors      what every step is given
    system/                         the machine: programs that stay, its network, its packages
"""
