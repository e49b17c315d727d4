"""Tokens: whose are taken, and what they open."""

import base64
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from sealift.serving.access import CheckedAccess
from sealift.serving.access.tokens import MAX_KNOWN, Tokens
from sealift.serving.errors import AccessInvalid, Forbidden, Unauthenticated
from tests.unit.serving.access.files import (
    AUDIENCE,
    CLAIMS,
    NOW,
    ec,
    ed25519,
    issuer,
    key_set,
    rsa,
    token,
    written,
)

PROJECT_ROOT = Path(__file__).resolve().parents[4]


def opened(folder: Path, keys: str, *algorithms: str, **members: object) -> CheckedAccess:
    (folder / "jwks.json").write_text(keys)
    return CheckedAccess(written(folder, issuer(*algorithms, **members)))


def encoded(part: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", rsa()),
        ("RS512", rsa()),
        ("PS384", rsa()),
        ("ES256", ec()),
        ("ES384", ECKey.generate_key("P-384", {"kid": "first"})),
        ("ES512", ECKey.generate_key("P-521", {"kid": "first"})),
        ("EdDSA", ed25519()),
        ("EdDSA", OKPKey.generate_key("Ed448", {"kid": "first"})),
    ],
    ids=["RS256", "RS512", "PS384", "ES256", "ES384", "ES512", "Ed25519", "Ed448"],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by RFC 9864, which issuers have not followed yet
def test_tokens_of_another_library_are_taken_and_any_changed_byte_is_not(
    tmp_path: Path, algorithm: str, key: Key
) -> None:
    access = opened(tmp_path, key_set(key), algorithm)
    good = token(key, algorithm)

    assert access.admit(good, "predict", NOW) == "jwt:alice"
    for place in range(0, len(good) - 1, 7):
        bad = good[:place] + (b"A" if good[place : place + 1] != b"A" else b"B") + good[place + 1 :]
        with pytest.raises(Unauthenticated):
            access.admit(bad, "predict", NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"iss": "https://login.example.org/"}, "Invalid issuer"),
        ({"iss": None}, "iss"),
        ({"aud": "others"}, "Audience"),
        ({"aud": ["others", "and more"]}, "Audience"),
        ({"aud": []}, "aud"),
        ({"exp": 1_000_000_000}, "expired"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": 1e400}, "exp|refused"),
        ({"nbf": 3_999_999_999}, "not yet valid"),
        ({"sub": 7}, "Subject"),
    ],
)
def test_claims_that_do_not_fit_are_refused_with_the_reason(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    key = ec()
    access = opened(tmp_path, key_set(key), "ES256")
    access.admit(token(key, "ES256"), "predict", NOW)

    with pytest.raises(Unauthenticated, match=said):
        access.admit(token(key, "ES256", CLAIMS | change), "predict", NOW)


@pytest.mark.parametrize("claim", ["exp", "iss", "aud", "sub"])
def test_a_claim_that_is_missing_is_named(tmp_path: Path, claim: str) -> None:
    key = ec()
    access = opened(tmp_path, key_set(key), "ES256")

    with pytest.raises(Unauthenticated, match=f'missing the "{claim}" claim'):
        access.admit(
            token(key, "ES256", {name: value for name, value in CLAIMS.items() if name != claim}), "predict", NOW
        )


@pytest.mark.parametrize("audience", [AUDIENCE, ["others", AUDIENCE]])
def test_an_audience_is_one_or_one_of_several(tmp_path: Path, audience: object) -> None:
    key = ec()

    name = opened(tmp_path, key_set(key), "ES256").admit(
        token(key, "ES256", CLAIMS | {"aud": audience}), "predict", NOW
    )

    assert name == "jwt:alice"


@pytest.mark.parametrize(
    ("claims", "scope_claim"),
    [
        ({"scope": "metrics predict"}, "scope"),
        ({"scope": ["metrics", "predict", 7, None]}, "scope"),
        ({"roles": ["metrics", "predict"], "scope": "metadata"}, "roles"),
        ({"https://example.com/scopes": "predict metrics"}, "https://example.com/scopes"),
    ],
)
def test_scopes_stand_in_the_claim_that_the_file_names(
    tmp_path: Path, claims: Mapping[str, object], scope_claim: str
) -> None:
    key = ec()
    access = opened(tmp_path, key_set(key), "ES256", scopeClaim=scope_claim)
    made = token(key, "ES256", {**CLAIMS, **claims})

    assert access.admit(made, "predict", NOW) == access.admit(made, "metrics", NOW) == "jwt:alice"
    with pytest.raises(Forbidden, match="metadata"):
        access.admit(made, "metadata", NOW)


@pytest.mark.parametrize("scope", [None, "", "predictions", {"predict": True}, 7, "Predict"])
def test_without_a_scope_of_ours_a_token_opens_nothing(tmp_path: Path, scope: object) -> None:
    key = ec()

    with pytest.raises(Forbidden):
        opened(tmp_path, key_set(key), "ES256").admit(token(key, "ES256", CLAIMS | {"scope": scope}), "predict", NOW)


def test_a_token_that_was_good_ends_when_it_expires_and_the_leeway_is_over(tmp_path: Path) -> None:
    key = ec()
    access = opened(tmp_path, key_set(key), "ES256", leewaySeconds=10)
    made = token(key, "ES256")
    access.admit(made, "predict", NOW)

    assert access.admit(made, "predict", 4_000_000_009.9) == "jwt:alice"
    with pytest.raises(Unauthenticated, match="'jwt:alice' has expired"):
        access.admit(made, "predict", 4_000_000_010)


def test_a_good_token_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec()
    access = opened(tmp_path, key_set(key), "ES256")
    checked: list[bytes] = []
    check = Tokens._verify

    def counted(self: Tokens, made: bytes) -> Mapping[str, object]:
        checked.append(made)
        return check(self, made)

    monkeypatch.setattr(Tokens, "_verify", counted)
    made, other = token(key, "ES256"), token(key, "ES256", CLAIMS | {"sub": "bob"})

    names = [access.admit(one, "predict", NOW) for one in (made, other, made, other)]

    assert names == ["jwt:alice", "jwt:bob"] * 2
    assert checked == [made, other]


def test_no_more_tokens_are_known_than_the_bound_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = opened(tmp_path, key_set(ec()), "ES256")
    tokens = access._admitted.tokens
    assert tokens is not None
    monkeypatch.setattr(Tokens, "_verify", lambda self, made: CLAIMS)

    for number in range(MAX_KNOWN + 10):
        access.admit(b"a.b.%d" % number, "predict", NOW)

    assert len(tokens._known) == MAX_KNOWN


def test_no_unsigned_token_and_none_signed_with_what_all_may_know(tmp_path: Path) -> None:
    """RFC 8725, 2.1: `none` in all its spellings, and an HMAC whose secret is the public key."""
    key = rsa()
    access = opened(tmp_path, key_set(key), "RS256")
    unsigned = [
        encoded({"alg": algorithm, "kid": "first"}) + b"." + encoded(CLAIMS) + b"."
        for algorithm in ("none", "None", "NONE", "nOnE", "", None, 7, ["RS256"], "HS256")
    ]
    confused = []
    for secret in (key.as_pem(private=False), key.as_der(private=False)):  # no library signs that by mistake any more
        signed = encoded({"alg": "HS256", "kid": "first"}) + b"." + encoded(CLAIMS)
        tag = base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
        confused.append(signed + b"." + tag)
    good = token(key, "RS256").rsplit(b".", 1)[0]

    for made in [*unsigned, *confused, good + b".", encoded({"alg": "RS256"}) + b".e30.", b"..", b"e30.e30.e30"]:
        with pytest.raises(Unauthenticated):
            access.admit(made, "predict", NOW)


def test_a_token_brings_no_key_of_its_own(tmp_path: Path) -> None:
    """RFC 8725, 2.10: `jwk`, `jku` and `x5u` in a token's header are whatever the sender likes."""
    own, foreign = ec(), ec("first")
    access = opened(tmp_path, key_set(own), "ES256")

    for header in ({"jwk": foreign.as_dict(private=False)}, {"jku": "https://evil.example.com/keys"}):
        with pytest.raises(Unauthenticated, match="Signature verification failed"):
            access.admit(token(foreign, "ES256", **header), "predict", NOW)


def test_a_key_is_good_for_its_own_algorithm_only(tmp_path: Path) -> None:
    key = rsa()
    access = opened(tmp_path, key_set(key), "RS256", "PS256")
    assert access.admit(token(key, "RS256"), "predict", NOW) == access.admit(token(key, "PS256"), "predict", NOW)

    bound = json.loads(key_set(key))
    bound["keys"][0]["alg"] = "RS256"
    access = opened(tmp_path, json.dumps(bound), "RS256", "PS256")

    assert access.admit(token(key, "RS256"), "predict", NOW) == "jwt:alice"
    with pytest.raises(Unauthenticated, match="not among its issuer"):
        access.admit(token(key, "PS256"), "predict", NOW)
    with pytest.raises(Unauthenticated, match="its algorithm is not one of RS256, PS256"):
        access.admit(token(key, "RS512"), "predict", NOW)


def test_a_key_of_another_curve_stands_beside_and_is_no_key_for_the_algorithm(tmp_path: Path) -> None:
    key, larger = ec("first"), ECKey.generate_key("P-384", {"kid": "second"})
    access = opened(tmp_path, key_set(larger, key), "ES256")
    nameless = jwt.encode({"alg": "ES256"}, CLAIMS, key, algorithms=["ES256"]).encode()

    assert access.admit(nameless, "predict", NOW) == "jwt:alice"
    with pytest.raises(Unauthenticated, match="not among its issuer"):
        access.admit(token(key, "ES256", kid="second"), "predict", NOW)


def test_a_token_that_names_no_key_is_checked_with_the_only_one_there_is(tmp_path: Path) -> None:
    first, second = ec("first"), ec("second")
    nameless = jwt.encode({"alg": "ES256"}, CLAIMS, first, algorithms=["ES256"]).encode()

    assert opened(tmp_path, key_set(first), "ES256").admit(nameless, "predict", NOW) == "jwt:alice"
    with pytest.raises(Unauthenticated, match="not among its issuer"):
        opened(tmp_path, key_set(first, second), "ES256").admit(nameless, "predict", NOW)


def test_an_rsa_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.warns(SecurityWarning):
        key = RSAKey.generate_key(1024, {"kid": "first"})
    access = opened(tmp_path, key_set(key), "RS256")

    with pytest.raises(Unauthenticated, match="1024 bits"):
        access.admit(token(key, "RS256"), "predict", NOW)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "not a JSON Web Key Set"),
        ("{}", "not a JSON Web Key Set"),
        ('{"keys": []}', "has no key for ES256"),
        (
            '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, 7, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
            "has no key",
        ),
        (key_set(rsa()), "has no key for ES256"),
        (key_set(ECKey.generate_key("P-384", {"kid": "first"})), "has no key for ES256"),
        (key_set(ECKey.generate_key("secp256k1", {"kid": "first"})), "has no key for ES256"),
        (key_set(ed25519()), "has no key for ES256"),
    ],
)
def test_a_key_set_without_a_usable_key_is_told_at_start(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(AccessInvalid, match=said):
        opened(tmp_path, keys, "ES256")


SIGNED = json.loads((PROJECT_ROOT / "tests" / "vectors" / "tokens" / "signed-by-the-rfcs.json").read_text())
"""What others signed. The keys are private; only their public members are read. `refused` is what follows once the
signature was found good."""


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: str(vector["source"]))
def test_what_the_rfcs_signed_fails_by_its_claims_and_once_changed_by_its_signature(
    tmp_path: Path, vector: dict[str, str]
) -> None:
    access = opened(tmp_path, json.dumps({"keys": [vector["key"]]}), vector["algorithm"])
    made = vector["token"].encode()
    changed = made[:-4] + bytes([made[-4] ^ 1]) + made[-3:]

    with pytest.raises(Unauthenticated, match=vector["refused"]):
        access.admit(made, "predict", NOW)
    with pytest.raises(Unauthenticated, match="Signature verification failed"):
        access.admit(changed, "predict", NOW)


def test_what_a_token_says_must_be_understood_is_not_passed_over(tmp_path: Path) -> None:
    """RFC 7515, E: the header's `crit` names what a reader must know or refuse."""
    key = ec()
    head = encoded(
        {"alg": "ES256", "kid": "first", "crit": ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": True}
    )
    made = head + b"." + encoded(CLAIMS) + b"." + token(key, "ES256").rsplit(b".", 1)[1]

    with pytest.raises(Unauthenticated, match="critical extension"):
        opened(tmp_path, key_set(key), "ES256").admit(made, "predict", NOW)
