"""What is done beside a call, and what is left of it when it is called off."""

import msgspec

from gateway.auth import Caller
from gateway.record import Record
from gateway.session.errands import Errands
from gateway.translate.realtime.effects import Reply, Words
from tests.conftest import MakeGateway
from tests.fakes import Zhipu, chunk


async def test_errand_that_is_called_off_has_given_its_slot_back(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Whoever closes it finds nothing of it left to be done by nobody in particular."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.begin(chunk(content="Once"))]
    errands = Errands(
        gateway.desk,
        gateway.app._sockets._shared.endpoints,  # type: ignore[attr-defined]
        caller=Caller(name="team", tier="V3"),
        record=Record(request_id="r", received_at=0.0),
    )
    messages = [{"role": "user", "content": "Tell me a story."}]
    request = msgspec.json.encode({"model": "glm-4.7", "messages": messages, "stream": True})
    comes = errands.run(Reply(request=request))
    assert Words("Once") == await anext(comes)
    assert 1 == gateway.slots

    await comes.aclose()

    assert (0, "client_disconnect") == (gateway.slots, gateway.record.outcome)
