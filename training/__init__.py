"""Training in its own process: DATASET → MODEL → sealed ARTIFACT. Read it in this order:

    job.py         one run and its settings, each declared once; options.py has the nested settings, tasks.py the losses
                   and metrics of each task
    sources.py     data sets; user_code.py: the user's classes and functions; weight_files.py: the files of an ONNX
                   model; uncounted.py: files that code reads and no digest covers; raised.py: the part of an
                   exception's text that is shown
    recipe/        everything that changes the model's bytes: rows → network → loop → metrics → ONNX; an edit retrains
    findings.py    problems of the data, and which of them a run allows; gates.py: conditions on the model
    fit.py         calls the recipe; description.py: description of the model, with input_bins.py (the distribution of
                   its inputs); report/ and evidence.py: the report, judgement.py: gates and limits applied to it
    checkpoint.py  the run's record in the store, so that the run can be killed at any point
    request.py     the request; events.py and, at the end, run_result.py: the answers; cancellation.py: when to stop
    highlights.py  results of folds, search and compression, one line each
    progress.py    progress events, with throughput.py (speed); status_line.py: the same as a line of text
    run.py         from request to result, from any earlier state: trainer.py makes the model, in this process or with
                   worker.py in each of several (distributed.py); run_callback.py acts between stretches of steps
    process.py     start and pins of a training process; provenance.py: what a model is made from
    on_request.py  `python -m training --events FD`: request and code in, events out
    pod.py         `python -m training pod FOLDER`: trains in a pod, which pod_access.py gives access to parcel.py (its
                   files) and signed_record.py (its record), by signed_files.py (signed URLs); pod_meetings.py: several
                   pods find each other
    data_check.py  `python -m training check`: checks data for previews, without torch
    try_out.py     `python -m training --dataset …`: for people, with command_line.py and display.py
    errors.py      the tree of errors

Nothing here knows Pulumi. The program and its plugin import `training.job` and what that imports: the standard library.
"""
