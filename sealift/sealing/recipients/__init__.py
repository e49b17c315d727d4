"""Who can open an artifact, in age's shape: a Recipient wraps a data key, an Identity unwraps it.

recipient.py is the contract, parse.py lists the kinds, and each kind is a file of its own, such as rsa_oaep.py.
"""
