"""What one answer has to keep."""

from gateway.translate.chat.plan import Plan


def test_made_up_call_ids_differ_between_answers_and_choices() -> None:
    """Reasoning is recalled by these ids, so they must not meet."""
    plans = [Plan(id=f"chatcmpl-{'0' * 20}{number}", created=1, model="m") for number in (1, 2)]

    assert len({plan.call_id_prefix(index) for plan in plans for index in (0, 1)}) == 4
