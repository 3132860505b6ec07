"""Envelopes open for those they were made for, and for nobody else."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.responses.sealing import Sealer

SEALER = Sealer(bytes(64))


@given(st.text(), st.text())
def test_envelope_opens_for_its_tenant(text: str, tenant: str) -> None:
    assert text == SEALER.unseal(SEALER.seal(text, tenant=tenant), tenant=tenant)


@given(st.text())
def test_anything_else_stays_shut(envelope: str) -> None:
    assert SEALER.unseal(envelope, tenant="team") is None


def test_other_tenants_and_other_secrets_open_nothing() -> None:
    sealed = SEALER.seal("thoughts", tenant="team")

    assert SEALER.unseal(sealed, tenant="others") is None
    assert Sealer(bytes(range(64))).unseal(sealed, tenant="team") is None
    assert "thoughts" == Sealer(bytes(64)).unseal(sealed, tenant="team")


def test_text_is_not_in_its_envelope() -> None:
    assert "thoughts" not in SEALER.seal("thoughts", tenant="team")
