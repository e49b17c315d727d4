"""RSA-4096 keys that a key management service (KMS) keeps, named by the addresses of Pulumi's secrets providers.

kms_key.py is the contract, parse.py lists the services, and each service has its own file. A service's SDK is imported
only when one of its keys is used. The keys need no format of their own: they unwrap what an RSA recipient wrapped.
"""
