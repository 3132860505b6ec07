"""Secrets of the gateway's own: the same at every replica, another for every purpose."""

from gateway.auth.derivation import SECRET_BYTES, derive


def test_replicas_derive_the_same_whatever_the_order_of_their_accounts() -> None:
    one = derive("client secrets", own=None, api_keys=["a", "b"])

    assert one == derive("client secrets", own=None, api_keys=["b", "a"])
    assert SECRET_BYTES == len(one)


def test_every_purpose_and_every_source_has_a_secret_of_its_own() -> None:
    secrets = {
        derive("client secrets", own=None, api_keys=["a"]),
        derive("sealed reasoning", own=None, api_keys=["a"]),
        derive("sealed reasoning", own="mine", api_keys=["a"]),
        derive("sealed reasoning", own=None, api_keys=["a", "b"]),
    }

    assert 4 == len(secrets)


def test_accounts_do_not_matter_where_the_operator_has_a_secret() -> None:
    assert derive("client secrets", own="mine", api_keys=["a"]) == derive(
        "client secrets", own="mine", api_keys=["b"]
    )


def test_without_a_source_it_is_of_this_process_alone() -> None:
    assert derive("client secrets", own=None, api_keys=[]) != derive("client secrets", own=None, api_keys=[])
