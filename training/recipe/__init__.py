"""All code that changes a model's bytes, and no other. Every file in here, at any depth, is part of a run's identity:
an edit retrains the model of every stack. An edit outside (requests, events, records, errors) does not.
In the data's order:

    make.py        DATASET → MODEL, the story: the order of all these
    datasets/      rows: read, masked, encoded, split
    scaling.py     their columns standardised
    models/        the networks, and the form in which one is deployed
    train.py       the trainings of a run: search.py tries settings, folds.py cross-validates, one makes the model
    callback.py    who looks at them between two stretches of steps, and what they leave to go on from
    loop_parts.py  a loop, put together: losses.py with class_weights.py, weights.py to start from or to freeze
    sgd.py         the loop, at rates of schedule.py
    trainer_state.py  how far it is, in numbers; module_state.py what a network and generators hold beside its weights
    step.py        one update: gradient descent as it stands in every book
    fused.py       the same for dense networks, faster: the gradient written out
    shared.py      the gradient by several processes; privacy.py the one that keeps rows private
    finish.py      the network that a loop gives → a model: measured, exported, compressed
    evaluate.py    metrics; measurable.py whether those that are asked for can be had, before the first step
    export.py      ONNX; columns.py makes it take a table's own columns, compression.py makes it smaller
    fidelity.py    whether that answers as the network does; value_reads.py what no trace can hold
    foreign.py     a model that was trained elsewhere, taken in instead; external.py its weights in files of their own,
                   foreign_labels.py which class its numbers are for
    large_form.py  ONNX with its weights beside it, for models above 2 GB
    explain.py     what the user's code does wrong, for people
    processor.py   the machine, pinned
"""
