// A tour of a Hadal server by OpenAI's own package for Node: node tour.mjs http://127.0.0.1:8080/v1
// Every stop prints its name when it is passed; the first that fails ends the tour with its error.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];
const model = "tiny";

const dice = {
  type: "function",
  function: {
    name: "dice",
    description: "Rolls a die.",
    parameters: { type: "object", properties: { sides: { type: "integer", minimum: 2, maximum: 20 } }, required: ["sides"], additionalProperties: false },
  },
};

async function stop(name, visit) {
  await visit();
  console.log(`passed: ${name}`);
}

await stop("models", async () => {
  const ids = [];
  for await (const one of client.models.list()) ids.push(one.id);
  assert.deepEqual(ids, [model]);
  assert.equal((await client.models.retrieve(model)).id, model);
});

await stop("chat", async () => {
  const answer = await client.chat.completions.create({ model, messages, max_completion_tokens: 20, seed: 4 });
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices[0].finish_reason, "length");
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.equal(answer.usage.completion_tokens, 20);
});

await stop("streaming", async () => {
  const whole = await client.chat.completions.create({ model, messages, max_tokens: 30, seed: 4 });
  const stream = await client.chat.completions.create({ model, messages, max_tokens: 30, seed: 4, stream: true, stream_options: { include_usage: true } });
  let text = "", usage, reason;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, 30);
  assert.equal(reason, "length");
});

await stop("streaming by the package's own gatherer", async () => {
  const runner = client.chat.completions.stream({ model, messages, max_tokens: 30, seed: 4 });
  const whole = await client.chat.completions.create({ model, messages, max_tokens: 30, seed: 4 });
  assert.equal(await runner.finalContent(), whole.choices[0].message.content);
});

await stop("tools", async () => {
  const first = await client.chat.completions.create({ model, messages, tools: [dice], tool_choice: "required", parallel_tool_calls: false, seed: 1 });
  assert.equal(first.choices[0].finish_reason, "tool_calls");
  const call = first.choices[0].message.tool_calls[0];
  const { sides } = JSON.parse(call.function.arguments);
  assert.ok(sides >= 2 && sides <= 20);
  const second = await client.chat.completions.create({
    model, tools: [dice], seed: 1, max_tokens: 20,
    messages: [...messages, first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "4" }],
  });
  assert.equal(second.choices[0].message.role, "assistant");
  const streamed = await client.chat.completions
    .stream({ model, messages, tools: [dice], tool_choice: { type: "function", function: { name: "dice" } }, seed: 1 }).finalChatCompletion();
  assert.equal(streamed.choices[0].message.tool_calls[0].function.name, "dice");
  JSON.parse(streamed.choices[0].message.tool_calls[0].function.arguments);
});

await stop("tools that the package runs itself", async () => {
  let rolled = 0;
  const runner = client.chat.completions.runTools({
    model, messages, seed: 1, max_tokens: 100, tool_choice: { type: "function", function: { name: "dice" } }, parallel_tool_calls: false,
    tools: [{ type: "function", function: { ...dice.function, parse: JSON.parse, function: () => String(++rolled) } }],
  });
  await runner.done();
  assert.equal(rolled, 1);
});

await stop("json schema", async () => {
  const schema = { type: "object", properties: { age: { type: "integer", minimum: 0, maximum: 99 } }, required: ["age"], additionalProperties: false };
  const answer = await client.chat.completions.parse({ model, messages, seed: 2, response_format: { type: "json_schema", json_schema: { name: "age", strict: true, schema } } });
  const { age } = JSON.parse(answer.choices[0].message.content);
  assert.ok(Number.isInteger(age) && age >= 0 && age <= 99);
});

await stop("logprobs", async () => {
  const answer = await client.chat.completions.create({ model, messages, max_tokens: 8, seed: 4, logprobs: true, top_logprobs: 2 });
  const tokens = answer.choices[0].logprobs.content;
  assert.equal(tokens.length, answer.usage.completion_tokens);
  for (const token of tokens) assert.ok(token.logprob <= 0 && token.top_logprobs.length === 2);
});

await stop("seeds, n and stop", async () => {
  const request = { model, messages, n: 3, max_tokens: 12, seed: 5 };
  const texts = async () => (await client.chat.completions.create(request)).choices.map((c) => c.message.content);
  const first = await texts();
  assert.equal(new Set(first).size, 3);
  assert.deepEqual(await texts(), first);
  const end = [...first[0]].find((c, i) => i > 3 && c !== "\ufffd");
  const stopped = await client.chat.completions.create({ ...request, n: 1, stop: end });
  assert.equal(stopped.choices[0].message.content, first[0].slice(0, first[0].indexOf(end)));
});

await stop("completions", async () => {
  const whole = await client.completions.create({ model, prompt: "Once", max_tokens: 10, seed: 4 });
  assert.equal(whole.usage.completion_tokens, 10);
  let text = "";
  for await (const chunk of await client.completions.create({ model, prompt: "Once", max_tokens: 10, seed: 4, stream: true })) text += chunk.choices[0]?.text ?? "";
  assert.equal(text, whole.choices[0].text);
});

await stop("errors", async () => {
  await assert.rejects(client.chat.completions.create({ model, messages, temperature: 3 }), (e) => {
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.equal(e.param, "temperature");
    assert.match(e.message, /from 0 to 2/);
    return true;
  });
  await assert.rejects(client.chat.completions.create({ model: "gpt-5", messages }), (e) => e instanceof OpenAI.NotFoundError && e.code === "model_not_found");
  await assert.rejects(client.embeddings.create({ model, input: "x" }), (e) => e.status === 501);
});

await stop("cancel", async () => {
  const stream = await client.chat.completions.create({ model, messages, max_tokens: 3000, ignore_eos: true, seed: 4, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) break;
  }
  const gone = new AbortController();
  const second = client.chat.completions.create({ model, messages, max_tokens: 3000, ignore_eos: true, seed: 4 }, { signal: gone.signal });
  setTimeout(() => gone.abort(), 50);
  await assert.rejects(second, (e) => e instanceof OpenAI.APIUserAbortError);
});
