"""Gradient descent in a process of its own: DATASET → MODEL → sealed ARTIFACT. Read it in this order:

    job.py         what one run is, over options.py (objects among its settings): each setting declared once; tasks.py
                   which losses and metrics a task has
    sources.py     where rows come from, and user_code.py where the user's classes and functions do; weight_files.py
                   which files an ONNX model consists of; uncounted.py what code reads that no digest counts;
                   raised.py what is shown of what it raises
    recipe/        what shapes the model's bytes: rows → network → loop → metrics → ONNX; an edit there trains anew
    findings.py    what is wrong with the rows, and how much a run allows; gates.py whether the model is good enough
    fit.py         recipe and gates; description.py what is said of the model, over input_bins.py (how inputs are
                   spread); report/ and evidence.py what a person reads,
                   judgement.py what a run's gates and limits say of it
    checkpoint.py  what a run keeps in the store, so that it can be killed at any point
    request.py     what is asked for; events.py and, at the end, run_result.py what is told to whoever asked;
                   cancellation.py when to stop
    highlights.py  what folds, search and compression came to, in a line each
    progress.py    what a training tells, at what throughput.py; status_line.py how people read it
    run.py         from request to result, whatever was done already: trainer.py makes the model, in this process or by
                   worker.py in each of several (distributed.py); run_callback.py is what it does between stretches
    process.py     how a training process is started and what it pins; provenance.py what a model is made from
    on_request.py  `python -m training --events FD`: request and code in, events out
    data_check.py  `python -m training check`: would a run take its data? For previews, without torch
    try_out.py     `python -m training --dataset …`: for people, over command_line.py and display.py
    errors.py      what can be wrong, as one tree

Nothing here knows Pulumi. The program and its plugin import `training.job` and what that imports: the standard library.
"""
