"""A token has one spelling, one role, one session or resource, and an end."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

import pytest

from tests.support.builders import CODE, OTHER_CODE
from waypost_worker.errors import InvalidToken, TokenExpired
from waypost_worker.security.tokens import Claims, Role, Signer, key_fingerprint

OLD, NEW = b"an old key, 32 bytes or more of it", b"a new key, 32 bytes or more of it."
SIGNER = Signer((OLD,))
END = 1_767_225_600
BEFORE_MS = END * 1000 - 1
ADA = "user:ada@example.org"
CLAIMS = {
    Role.HOST: Claims(Role.HOST, CODE, END),
    Role.GUEST: Claims(Role.GUEST, CODE, END),
    Role.APP: Claims(Role.APP, ADA, END),
}
TOKENS = {
    Role.HOST: "wp1.host.K7Q2M9XA.1767225600.uhiYxXizO_2Uvubh80vYlgaWfXm6MBW7ElXQ6S5nl6E",
    Role.GUEST: "wp1.guest.K7Q2M9XA.1767225600.pe55-o8yQUqXmoEdWJZ_VmSVglb0NZZuLG87-ZzMwj8",
    Role.APP: "wp1.app.dXNlcjphZGFAZXhhbXBsZS5vcmc.1767225600.1_1HhfZjUc-zjNk4MatFjhQBVuDateRLi44_1eMCfI8",
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
of_every_role = pytest.mark.parametrize("role", Role)


def refused(token: str) -> bool:
    try:
        SIGNER.unsign(token, BEFORE_MS)
    except InvalidToken:
        return True
    return False


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(text: str, key: bytes = OLD, digest: str = "sha256") -> str:
    """`text` with the signature that an implementation without a grammar would take."""
    return f"{text}.{base64url(hmac.digest(key, text.encode(), digest))}"


@of_every_role
def test_the_form_of_a_token_is_pinned(role: Role):
    assert SIGNER.sign(CLAIMS[role]) == TOKENS[role]
    assert signed(TOKENS[role].rpartition(".")[0]) == TOKENS[role]


@of_every_role
def test_a_token_says_what_was_signed(role: Role):
    assert SIGNER.unsign(TOKENS[role], BEFORE_MS) == CLAIMS[role]


@pytest.mark.parametrize("resource", ["a", "K7Q2M9XA", "a.b.c", "\u00fc \U0001f600", "\u6771" * 22, "x" * 128, "=+/"])
def test_a_resource_may_be_anything_that_an_app_can_name(resource: str):
    token = SIGNER.sign(Claims(Role.APP, resource, END))
    assert token.count(".") == 4
    assert SIGNER.unsign(token, BEFORE_MS).subject == resource


@pytest.mark.parametrize("length", range(8, 17))
def test_a_code_may_have_any_length_that_codes_have(length: int):
    claims = Claims(Role.GUEST, "Z" * length, END)
    assert SIGNER.unsign(SIGNER.sign(claims), BEFORE_MS) == claims


@pytest.mark.parametrize("code", ["Z" * 7, "Z" * 17, "", "ZZZZ-ZZZZ", "zzzzzzzz"])
def test_what_is_no_code_is_no_subject_of_a_session(code: str):
    assert refused(signed(f"wp1.host.{code}.{END}"))


@of_every_role
def test_a_token_holds_until_its_last_millisecond_and_ends_at_exactly_its_second(role: Role):
    assert SIGNER.unsign(TOKENS[role], BEFORE_MS) == CLAIMS[role]
    for late_ms in (1, 1001):
        with pytest.raises(TokenExpired):
            SIGNER.unsign(TOKENS[role], BEFORE_MS + late_ms)


@of_every_role
def test_a_forged_token_is_not_told_that_its_time_is_over(role: Role):
    with pytest.raises(InvalidToken):
        SIGNER.unsign(TOKENS[role][:-2] + "AA", BEFORE_MS + 1)


@of_every_role
def test_every_flipped_bit_is_noticed(role: Role):
    raw = TOKENS[role].encode()
    changed = [
        (raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1 :]).decode("latin-1")
        for i in range(len(raw))
        for bit in range(8)
    ]
    assert all(refused(token) for token in changed)


@of_every_role
def test_a_truncated_token_is_refused_wherever_it_is_cut(role: Role):
    token = TOKENS[role]
    assert all(refused(token[:length]) and refused(token[-length:]) for length in range(1, len(token)))
    assert refused("")


@of_every_role
def test_a_token_with_a_part_left_out_is_refused(role: Role):
    parts = TOKENS[role].split(".")
    assert all(refused(".".join(parts[:i] + parts[i + 1 :])) for i in range(len(parts)))
    assert all(refused(".".join([*parts[:i], "", *parts[i + 1 :]])) for i in range(len(parts)))


@of_every_role
@pytest.mark.parametrize("more", ["A", "=", "\n", " ", ".", ".A", "\0", "%00", "\u0661"])
def test_an_extended_token_is_refused(role: Role, more: str):
    token = TOKENS[role]
    assert refused(token + more)
    assert refused(more + token)
    assert refused(f"{token}{more}{token}")


@of_every_role
@pytest.mark.parametrize("other", [*Role, "HOST", "App", "admin", "", "host.guest"])
def test_another_role_is_refused(role: Role, other: str):
    _, _, subject, expires, signature = TOKENS[role].split(".")
    assert refused(f"wp1.{other}.{subject}.{expires}.{signature}") is (other != role)


@of_every_role
@pytest.mark.parametrize(
    "other", [OTHER_CODE, CODE + "0", CODE.lower(), base64url(b"user:bob@example.org"), "YQ", "YR"]
)
def test_another_session_or_resource_is_refused(role: Role, other: str):
    version, _, _, expires, signature = TOKENS[role].split(".")
    assert refused(f"{version}.{role}.{other}.{expires}.{signature}")


@of_every_role
@pytest.mark.parametrize(
    "expires", ["1767225601", "9999999999", "01767225600", "\u0661767225600", "1767225600.0", "1e9"]
)
def test_another_end_is_refused(role: Role, expires: str):
    assert refused(TOKENS[role].replace("1767225600", expires, 1))


@pytest.mark.parametrize("expires", ["0", "-1", "", "01767225600", "1" * 13, "+1767225600", "1_767_225_600"])
def test_an_end_has_one_spelling_also_where_the_signature_fits(expires: str):
    assert refused(signed(f"wp1.host.{CODE}.{expires}"))


@of_every_role
@pytest.mark.parametrize("version", ["wp0", "wp2", "WP1", "wp", "wp10", ""])
def test_another_version_is_refused_also_where_the_signature_fits(role: Role, version: str):
    rest = TOKENS[role].rpartition(".")[0].partition(".")[2]
    assert refused(signed(f"{version}.{rest}"))


@of_every_role
@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha384", "sha512", "md5", "blake2s", "sha3_256"])
def test_a_signature_of_another_algorithm_is_refused(role: Role, digest: str):
    text = TOKENS[role].rpartition(".")[0]
    token = signed(text, digest=digest)
    assert refused(token)
    assert refused(f"{text}.{token.rpartition('.')[2][:43].ljust(43, 'A')}")


@of_every_role
def test_a_signature_without_a_key_is_refused(role: Role):
    text = TOKENS[role].rpartition(".")[0]
    assert refused(signed(text, key=b""))
    assert refused(f"{text}.{base64url(hashlib.sha256(text.encode()).digest())}")
    assert refused(f"{text}.{base64url(hashlib.sha256(OLD + text.encode()).digest())}")


@of_every_role
@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS256"])
def test_a_json_web_token_is_none_of_ours_whatever_it_was_signed_with(role: Role, algorithm: str):
    claims = CLAIMS[role]
    header = base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    body = base64url(json.dumps({"role": claims.role, "sub": claims.subject, "exp": claims.expires_seconds}).encode())
    digest = "sha512" if algorithm == "HS512" else "sha256"
    for token in (f"{header}.{body}.", f"{header}.{body}", signed(f"{header}.{body}", digest=digest)):
        assert refused(token)
        assert refused(f"wp1.{token}")


@of_every_role
def test_a_second_base64_spelling_of_the_signature_is_refused(role: Role):
    # 43 characters hold 258 bits and the hash has 256: the last character has three twins that decode alike.
    token = TOKENS[role]
    last = ALPHABET.index(token[-1])
    twins = [ALPHABET[last & ~3 | low] for low in range(4)]
    assert [refused(token[:-1] + twin) for twin in twins].count(False) == 1
    assert refused(token[:-1] + token[-1] + "=")


@pytest.mark.parametrize("resource", ["a", "ab", "abcd", ADA])
def test_a_second_base64_spelling_of_the_resource_is_refused_also_where_the_signature_fits(resource: str):
    subject = base64url(resource.encode())
    spare = {2: 16, 3: 4}[len(subject) % 4]
    last = ALPHABET.index(subject[-1])
    twins = [subject[:-1] + ALPHABET[last & -spare | low] for low in range(spare)]
    spellings = [*twins, subject + "=", subject + "=="]
    taken = [spelling for spelling in spellings if not refused(signed(f"wp1.app.{spelling}.{END}"))]
    assert set(taken) == {subject}
    # Nor is it one with the signature of the first.
    signature = signed(f"wp1.app.{subject}.{END}").rpartition(".")[2]
    genuine = [spelling for spelling in spellings if not refused(f"wp1.app.{spelling}.{END}.{signature}")]
    assert set(genuine) == {subject}


@pytest.mark.parametrize("subject", ["A", "AAAAA", "_w", "wIA", "7aCA", "A" * 268, ""])
def test_what_is_no_base64_of_utf8_is_no_resource(subject: str):
    assert refused(signed(f"wp1.app.{subject}.{END}"))


def test_a_role_can_not_be_moved_into_the_code():
    assert refused("wp1.host.guest.K7Q2M9XA.1767225600." + TOKENS[Role.HOST][-43:])


@of_every_role
def test_while_keys_are_rotated_both_are_accepted_and_the_first_signs(role: Role):
    both, claims = Signer((NEW, OLD)), CLAIMS[role]
    assert both.unsign(TOKENS[role], BEFORE_MS) == claims
    assert both.sign(claims) == Signer((NEW,)).sign(claims)
    assert both.unsign(Signer((NEW,)).sign(claims), BEFORE_MS) == claims


@of_every_role
def test_after_the_rotation_the_old_key_is_refused(role: Role):
    with pytest.raises(InvalidToken):
        Signer((NEW,)).unsign(TOKENS[role], BEFORE_MS)


@of_every_role
def test_a_key_that_is_not_there_yet_is_refused(role: Role):
    assert refused(Signer((NEW,)).sign(CLAIMS[role]))


def test_the_fingerprint_of_a_key_is_pinned_and_is_no_signature():
    assert key_fingerprint(OLD) == base64url(hmac.digest(OLD, b"waypost signing key 1", "sha256")[:12])
    assert len(key_fingerprint(OLD)) == 16
    assert key_fingerprint(OLD) != key_fingerprint(OLD + b"x")
    assert all(key_fingerprint(OLD) not in token for token in TOKENS.values())
