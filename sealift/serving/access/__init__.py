"""Access control: a credential and a scope in, the caller's name or a refusal out. Knows no HTTP.

contract.py       the contract for transports: admit, and refresh once a second
unchecked.py      no access control, if the user chooses that
one_key.py        one key, for a model that is tried on one's own machine
checked.py        callers by the digest of their credential; reads a changed access file again
access_file.py    the format of the access file
watched.py        detection of changed mounted files
tokens.py         JSON Web Token → caller; only loaded if the file names an issuer
key_set.py        the issuer's public keys (JWKS), from text
remote_keys.py    the same from a URL, fetched in a thread
caller.py         one caller: scopes, expiry, rate limit
rate_limit.py     the rate limit of a caller
"""

from sealift.serving.access.checked import CheckedAccess
from sealift.serving.access.contract import Access, Scope
from sealift.serving.access.one_key import OneKey, new_key
from sealift.serving.access.unchecked import UncheckedAccess

__all__ = ["Access", "CheckedAccess", "OneKey", "Scope", "UncheckedAccess", "new_key"]
