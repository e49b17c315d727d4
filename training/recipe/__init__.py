"""All code that changes a model's bytes, and no other. Every file in here, at any depth, is part of a run's identity:
an edit retrains the model of every stack. An edit outside (requests, events, records, errors) does not.
In the data's order:

    make.py        DATASET → MODEL: the order of all these steps
    datasets/      rows: read, masked, encoded, split
    scaling.py     their columns standardised
    models/        the networks, and the form in which one is deployed
    train.py       the trainings of a run: search.py tries settings, folds.py cross-validates, one makes the model
    callback.py    the caller's view of them between two stretches of steps, and the progress to resume from
    loop_parts.py  the parts of a loop: losses.py with class_weights.py, weights.py to start from or to freeze
    sgd.py         the loop, at the learning rates of schedule.py
    trainer_state.py  its counters; module_state.py the state of networks and generators besides the weights
    step.py        one update: textbook gradient descent
    fused.py       the same for dense networks, faster: the gradient written out
    shared.py      the gradient of several processes; privacy.py the differentially private gradient
    finish.py      the network that a loop gives → a model: measured, exported, compressed
    evaluate.py    metrics; measurable.py checks before the first step that the requested ones can be measured
    export.py      ONNX; columns.py gives it a table's own columns as inputs, compression.py makes it smaller
    fidelity.py    checks that its answers equal the network's; value_reads.py finds what no trace can express
    foreign.py     a model that was trained elsewhere; external.py its weights in separate files, foreign_labels.py the
                   classes of its numbers, foreign_scale.py whether they are probabilities
    large_form.py  ONNX with its weights beside it, for models above 2 GB
    explain.py     errors of the user's code, explained
    processor.py   the pinned properties of the machine
"""
