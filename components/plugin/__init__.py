"""The process that the engine starts for Sealift's custom resources (`pulumi-resource-sealift`).

provider.py answers the engine and dispatches by resource type; sealing_key.py and training_run.py are one custom
resource each; values.py is the one place for the engine's unknowns, secrets and numbers; runner.py starts, streams
and cancels training; engine_log.py is the live status line. It never imports torch: training is a process of its own.
"""
