"""What the OpenAI client for Python and the real DSPy get from a gateway.

Prints one JSON object per case: {"case": …, "got": …}. BASE_URL and TOKEN are in
the environment.
"""

import json
import os

import openai

client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ["TOKEN"], max_retries=0)
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say hello"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def case(name, got):
    print(json.dumps({"case": name, "got": got}), flush=True)


def failure(call):
    try:
        call()
    except openai.APIStatusError as e:
        return {"class": type(e).__name__, "status": e.status_code, "code": e.code}
    return "no failure"


models = [m.id for m in client.models.list()]
case("models", models)

r = client.chat.completions.create(model="echo", messages=ASK, temperature=0.5, max_tokens=50, stop=["END"], seed=7)
case("chat", {"text": r.choices[0].message.content, "finish": r.choices[0].finish_reason, "tokens": r.usage.total_tokens})

r = client.chat.completions.create(model="echo", messages=ASK, n=3)
case("n", [c.index for c in r.choices])

pieces, usage = [], None
with client.chat.completions.create(model="echo", messages=ASK, stream=True, stream_options={"include_usage": True}) as stream:
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            pieces.append(chunk.choices[0].delta.content)
        if chunk.usage:
            usage = chunk.usage.total_tokens
case("stream", {"text": "".join(pieces), "several": len(pieces) > 1, "tokens": usage})

r = client.chat.completions.create(
    model="echo",
    messages=ASK,
    response_format={"type": "json_schema", "json_schema": {"name": "greeting", "strict": True, "schema": {
        "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": False}}},
)
case("json_schema", json.loads(r.choices[0].message.content))

r = client.chat.completions.create(model="echo", messages=ASK, tools=[TOOL], tool_choice="required")
call = r.choices[0].message.tool_calls[0]
case("tool", {"name": call.function.name, "arguments": json.loads(call.function.arguments), "finish": r.choices[0].finish_reason})
r = client.chat.completions.create(
    model="echo",
    messages=ASK + [r.choices[0].message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "sunny"}],
    tools=[TOOL],
    tool_choice="none",
)
case("tool result", r.choices[0].message.content)

names, arguments = [], ""
for chunk in client.chat.completions.create(model="echo", messages=ASK, tools=[TOOL], tool_choice="required", stream=True):
    for c in chunk.choices[0].delta.tool_calls or []:
        if c.function.name:
            names.append(c.function.name)
        arguments += c.function.arguments or ""
case("tool stream", {"names": names, "arguments": json.loads(arguments)})

r = client.chat.completions.create(model="echo", messages=[{"role": "user", "content": [
    {"type": "text", "text": "look: "}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}])
case("image", r.choices[0].message.content)

case("wrong token", failure(lambda: openai.OpenAI(base_url=os.environ["BASE_URL"], api_key="no", max_retries=0).models.list()))
case("unknown model", failure(lambda: client.chat.completions.create(model="other", messages=ASK)))
case("bad request", failure(lambda: client.chat.completions.create(model="echo", messages=[])))
case("unsupported", failure(lambda: client.chat.completions.create(model="echo", messages=ASK, logprobs=True)))
case("rate limit", failure(lambda: client.chat.completions.create(model="limited", messages=ASK)))
case("timeout", failure(lambda: client.chat.completions.create(model="slow", messages=ASK)))
case("broken", failure(lambda: client.chat.completions.create(model="broken", messages=ASK)))
case("no schema", failure(lambda: client.chat.completions.create(model="builtin/incontext", messages=ASK, response_format={"type": "json_object"})))

import dspy  # noqa: E402  the real one

lm = dspy.LM("openai/builtin/incontext", api_base=os.environ["BASE_URL"], api_key=os.environ["TOKEN"], cache=False)
with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
    sums = dspy.Predict("question -> answer: int")
    case("dspy", sums(question="What is 17 * 23?").answer)
