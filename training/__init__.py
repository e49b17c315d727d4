"""Gradient descent in a process of its own: DATASET → MODEL → sealed ARTIFACT. Read it in this order:

    job.py         what one run is, over options.py (objects among its settings) and reading.py (how values are checked)
    data/          sources.py where rows come from → load.py → quality.py, masking.py → dataset.py, what they are then
    models.py      the network, over networks/ and user_code.py; scaling.py its standardised features
    sgd.py         the loop, over schedule.py (learning rates) and fused.py (many steps at once)
    train.py       one descent, on rows that are given; weights.py where it starts
    evaluate.py    metrics; search.py and folds.py train many times to find good settings and honest metrics
    export.py      ONNX, checked against torch; compression.py makes it smaller; foreign.py takes one in
    gates.py       what a model must be; describe.py what is said of it; report/ and evidence.py what a person reads
    fit.py         the order of all these
    checkpoint.py  what a run keeps in the store, so that it can be killed at any point
    request.py     what is asked for; events.py what is told to whoever asked; cancellation.py when to stop
    run.py         from request to result, whatever was done already; worker.py and distributed.py by several processes
    __main__.py    `python -m training`: request in, events out

Nothing here knows Pulumi. The program and its plugin import `training.job` and what that imports: the standard library.
"""
