"""The fate of every parameter of a completion; what is converted goes on to the translation of chat."""

from gateway.translate.params import NOT_IN_GLM, Converted, Ignored, Refused, Rule

AS_IN_CHAT = "as in chat"
UNKNOWN_TO_GLM = "GLM's models chat; they do not complete a text that has an end already. Leave 'suffix' out."

COMPLETIONS: dict[str, Rule] = {
    "model": Converted("model", note="any chat model"),
    "prompt": Converted("messages", note="each of up to 64 texts is a user's question; token ids are refused"),
    "n": Converted("", note="1 to 8 for each prompt; every text is a call and a slot"),
    "stream": Converted("stream", note=AS_IN_CHAT),
    "stream_options": Converted("", note=AS_IN_CHAT),
    "max_tokens": Converted("max_tokens", note="capped at the model's output limit; absent, the model's own"),
    "temperature": Converted("temperature, do_sample", note=AS_IN_CHAT),
    "top_p": Converted("top_p", note=AS_IN_CHAT),
    "stop": Converted("stop", note="one word; more are refused"),
    "user": Converted("user_id", note="padded or hashed to 6–128 characters"),
    "best_of": Refused("GLM does not rank its answers. Use 'n', and choose.", neutral=(1,)),
    "echo": Refused("The prompt is not repeated. Put it before the text yourself.", neutral=(False,)),
    "logprobs": Refused("GLM tells no log probabilities. Leave 'logprobs' out."),
    "suffix": Refused(UNKNOWN_TO_GLM, neutral=("",)),
    "frequency_penalty": Ignored(NOT_IN_GLM, neutral=(0,)),
    "presence_penalty": Ignored(NOT_IN_GLM, neutral=(0,)),
    "logit_bias": Ignored(NOT_IN_GLM, neutral=({},)),
    "seed": Ignored("GLM's sampling takes no seed."),
    "do_sample": Converted("do_sample", note="Zhipu's own"),
    "request_id": Converted("request_id", note="Zhipu's own; it goes with the first call"),
    "thinking": Converted(
        "thinking", note="Zhipu's own; off unless it says so, since a bare text has no room for thoughts"
    ),
    "user_id": Converted("user_id", note="Zhipu's own; wins over `user`"),
}
"""One row for every field of a request; in the order in which the README lists them."""
