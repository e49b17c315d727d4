"""Who may ask the server for what: a credential and a scope in, the caller's name or a refusal out. Knows no HTTP.

contract.py       what a transport calls: admit, and refresh once a second
unchecked.py      for those who choose that anyone may ask
one_key.py        for a model that is tried on one's own machine
validated_args.py        callers by the digest of what they present; reads again what was mounted anew
access_file.py    the file that says who they are: its format
watched.py        whether a mounted file has been replaced
tokens.py         a JSON Web Token → its caller; only loaded if the file names an issuer
key_set.py        the issuer's public keys (JWKS), from text
remote_keys.py    the same from a URL, fetched in a thread
caller.py         one caller: scopes, expiry, rate limit
rate_limit.py     how often
"""

from sealift.serving.access.checked import CheckedAccess
from sealift.serving.access.contract import Access, Scope
from sealift.serving.access.one_key import OneKey, new_key
from sealift.serving.access.unchecked import UncheckedAccess

__all__ = ["Access", "CheckedAccess", "OneKey", "Scope", "UncheckedAccess", "new_key"]
