"""Gradient descent in a process of its own: DATASET → MODEL → sealed ARTIFACT.

    job.py         what one run is, and whether what a user asked for can be one (standard library only)
    dataset.py     rows, split, standardisation
    models.py      the networks
    sgd.py         the loop
    evaluate.py    metrics on held-out rows
    export.py      ONNX, checked against torch
    checkpoint.py  what a run keeps in the store, so that it can be killed at any point
    request.py     what is asked for, read from standard input
    events.py      what is told to whoever asked
    cancellation.py  signals, and the end of standard input
    run.py         the order of all these, and what is done already
    __main__.py    `python -m training`: request in, events out

Nothing here knows Pulumi, and nothing of the program or its plugin imports anything here but `training.job`.
"""
