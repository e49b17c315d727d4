"""The process that the engine starts for Sealift's custom resources (`pulumi-resource-sealift`).

It is built on `sealift.provider`, the engine's protocol. api_key.py, sealing_key.py and training_run.py contain one
custom resource each. launcher.py is the contract for a place where training runs, local_launcher.py the one for this
machine. data_check.py checks the data before training. The process never imports torch: training is a separate process.
"""
