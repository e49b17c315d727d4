"""Set-up, start, stop and test of Sealift on one machine: `python3 -m bootstrap --help`, or the same commands with
`make`.

Set-up is a list of steps, one file each. A step uses a part that the machine already has. Otherwise it installs the
official part if the network allows it, or builds the part from airgap/. This package uses only the standard library,
because it runs before anything is installed. It knows nothing about the stack: it starts `pulumi`, `pytest` and checks.

    __main__.py → command_line.py   version of Python, choice of the command; shows problems
    commands/                       one file per command: up, down, test, check, docs, report, status
    steps/                          one file per part that set-up provides; order.py is the list
    node/                           the local Kubernetes node, which the step kubernetes.py starts
    go_program, image_archive, lock_file      builders that steps and node use
    context, over console, environment, layout, content, errors      input of every step
    system/                         the machine: background programs, network, packages
"""
