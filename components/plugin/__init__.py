"""The process that the engine starts for Sealift's custom resources (`pulumi-resource-sealift`).

It stands on `sealift.provider`, the engine's protocol. api_key.py, sealing_key.py and training_run.py are one custom
resource each; launcher.py says what a place is where training runs, and local_launcher.py is one, this machine;
data_check.py asks before it whether the data can be used. It never imports torch: training is a process of its own.
"""
