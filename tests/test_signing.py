"""A token has one spelling, one role, one session, and an end."""

import pytest

from tests.support.builders import CODE, OTHER_CODE
from waypost.errors import InvalidToken, TokenExpired
from waypost.signing import Claims, Role, Signer

OLD, NEW = b"an old key, 32 bytes or more of it", b"a new key, 32 bytes or more of it."
SIGNER = Signer((OLD,))
CLAIMS = Claims(Role.HOST, CODE, 1_767_225_600)
TOKEN = "wp1.host.K7Q2M9XA.1767225600.uhiYxXizO_2Uvubh80vYlgaWfXm6MBW7ElXQ6S5nl6E"
BEFORE_MS = 1_767_225_599_999


def refused(token: str) -> bool:
    try:
        SIGNER.unsign(token, BEFORE_MS)
    except InvalidToken:
        return True
    return False


def test_the_form_of_a_token_is_pinned():
    assert SIGNER.sign(CLAIMS) == TOKEN


def test_a_token_says_what_was_signed():
    assert SIGNER.unsign(TOKEN, BEFORE_MS) == CLAIMS


def test_a_guests_token_is_a_guests():
    claims = Claims(Role.GUEST, CODE, 1_767_225_600)
    assert SIGNER.unsign(SIGNER.sign(claims), BEFORE_MS).role is Role.GUEST


def test_a_token_ends_at_exactly_its_second():
    with pytest.raises(TokenExpired):
        SIGNER.unsign(TOKEN, BEFORE_MS + 1)


def test_a_forged_token_is_not_told_that_its_time_is_over():
    with pytest.raises(InvalidToken):
        SIGNER.unsign(TOKEN[:-2] + "AA", BEFORE_MS + 1)


def test_every_flipped_bit_is_noticed():
    raw = TOKEN.encode()
    changed = [
        (raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1 :]).decode("latin-1")
        for i in range(len(raw))
        for bit in range(8)
    ]
    assert all(refused(token) for token in changed)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_truncated_token_is_refused(length: int):
    assert refused(TOKEN[:length])


@pytest.mark.parametrize("token", [TOKEN + "A", TOKEN + "=", TOKEN + "\n", " " + TOKEN, TOKEN * 2, TOKEN + "." + TOKEN])
def test_an_extended_token_is_refused(token: str):
    assert refused(token)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("host", "guest"),
        (CODE, OTHER_CODE),
        ("1767225600", "1767225601"),
        ("1767225600", "01767225600"),
        ("1767225600", "\u0661767225600"),
        ("wp1", "wp2"),
        ("host", "HOST"),
        ("host", "admin"),
    ],
)
def test_a_changed_claim_is_refused(old: str, new: str):
    assert refused(TOKEN.replace(old, new, 1))


def test_a_second_base64_spelling_of_the_signature_is_refused():
    # 43 characters hold 258 bits and the hash has 256: the last character has three twins that decode alike.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(TOKEN[-1])
    twins = [alphabet[last & ~3 | low] for low in range(4)]
    assert [refused(TOKEN[:-1] + twin) for twin in twins].count(False) == 1


def test_a_role_can_not_be_moved_into_the_code():
    assert refused("wp1.host.guest.K7Q2M9XA.1767225600." + TOKEN[-43:])


def test_while_keys_are_rotated_both_are_accepted_and_the_first_signs():
    both = Signer((NEW, OLD))
    assert both.unsign(TOKEN, BEFORE_MS) == CLAIMS
    assert both.sign(CLAIMS) == Signer((NEW,)).sign(CLAIMS)
    assert both.unsign(Signer((NEW,)).sign(CLAIMS), BEFORE_MS) == CLAIMS


def test_after_the_rotation_the_old_key_is_refused():
    with pytest.raises(InvalidToken):
        Signer((NEW,)).unsign(TOKEN, BEFORE_MS)
