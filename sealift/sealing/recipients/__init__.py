"""The keys that can open an artifact, modelled on age: a Recipient wraps a data key, an Identity unwraps it.

recipient.py is the contract, parse.py lists the kinds, and each kind has its own file, such as rsa_oaep.py.
"""
