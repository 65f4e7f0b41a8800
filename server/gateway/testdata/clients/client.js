// What the OpenAI client for Node gets from a gateway: one JSON object per case.
import OpenAI from "openai";

const { BASE_URL, TOKEN } = process.env;
const client = new OpenAI({ baseURL: BASE_URL, apiKey: TOKEN, maxRetries: 0 });
const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "say hello" }];
const tools = [{
  type: "function",
  function: {
    name: "weather", description: "The weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}];
const say = (name, got) => console.log(JSON.stringify({ case: name, got }));

async function failure(call) {
  try {
    await call();
  } catch (e) {
    return { class: e.constructor.name, status: e.status, code: e.code };
  }
  return "no failure";
}

const models = [];
for await (const m of await client.models.list()) models.push(m.id);
say("models", models);

let r = await client.chat.completions.create({ model: "echo", messages, temperature: 0.5, max_tokens: 50, stop: ["END"], seed: 7 });
say("chat", { text: r.choices[0].message.content, finish: r.choices[0].finish_reason, tokens: r.usage.total_tokens });

r = await client.chat.completions.create({ model: "echo", messages, n: 3 });
say("n", r.choices.map((c) => c.index));

let text = "", several = 0, tokens = null;
for await (const chunk of await client.chat.completions.create({ model: "echo", messages, stream: true, stream_options: { include_usage: true } })) {
  const piece = chunk.choices[0]?.delta?.content;
  if (piece) { text += piece; several++; }
  if (chunk.usage) tokens = chunk.usage.total_tokens;
}
say("stream", { text, several: several > 1, tokens });

r = await client.chat.completions.create({
  model: "echo", messages,
  response_format: { type: "json_schema", json_schema: { name: "greeting", strict: true, schema: {
    type: "object", properties: { word: { type: "string" } }, required: ["word"], additionalProperties: false } } },
});
say("json_schema", JSON.parse(r.choices[0].message.content));

r = await client.chat.completions.create({ model: "echo", messages, tools, tool_choice: "required" });
const call = r.choices[0].message.tool_calls[0];
say("tool", { name: call.function.name, arguments: JSON.parse(call.function.arguments), finish: r.choices[0].finish_reason });
r = await client.chat.completions.create({
  model: "echo", tools, tool_choice: "none",
  messages: [...messages, r.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sunny" }],
});
say("tool result", r.choices[0].message.content);

const names = [];
let args = "";
for await (const chunk of await client.chat.completions.create({ model: "echo", messages, tools, tool_choice: "required", stream: true })) {
  for (const c of chunk.choices[0]?.delta?.tool_calls ?? []) {
    if (c.function.name) names.push(c.function.name);
    args += c.function.arguments ?? "";
  }
}
say("tool stream", { names, arguments: JSON.parse(args) });

r = await client.chat.completions.create({ model: "echo", messages: [{ role: "user", content: [
  { type: "text", text: "look: " }, { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }] }] });
say("image", r.choices[0].message.content);

const other = new OpenAI({ baseURL: BASE_URL, apiKey: "no", maxRetries: 0 });
const ask = (model, more) => client.chat.completions.create({ model, messages, ...more });
say("wrong token", await failure(() => other.models.list()));
say("unknown model", await failure(() => ask("other")));
say("bad request", await failure(() => ask("echo", { messages: [] })));
say("unsupported", await failure(() => ask("echo", { logprobs: true })));
say("rate limit", await failure(() => ask("limited")));
say("timeout", await failure(() => ask("slow")));
say("broken", await failure(() => ask("broken")));
say("no schema", await failure(() => ask("builtin/incontext", { response_format: { type: "json_object" } })));
