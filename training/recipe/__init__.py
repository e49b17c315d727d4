"""What shapes a model's bytes, and nothing else. Every file in here, at any depth, is part of a run's identity: an
edit of one trains every stack anew, as an edit of what stands outside (requests, events, records, errors) does not.

    make.py        DATASET → MODEL, the order of all these
    datasets/      rows: read, masked, encoded, split
    models/        the networks, and the form in which one is deployed
    train.py       one descent
    sgd.py         its loop
    evaluate.py    metrics
    export.py      ONNX
    processor.py   the machine, pinned
"""
