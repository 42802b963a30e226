// The official openai client for JavaScript streams from the server.

import assert from "node:assert";
import { createRequire } from "node:module";

const { OpenAI } = createRequire(process.env.THEMECAST_NODE_MODULES + "/")("openai");
const client = new OpenAI();
const ask = {
  model: "default",
  messages: [{ role: "user", content: "Name three fruits and say what they taste like." }],
  max_tokens: 40,
  stream: true,
};

let text = "";
for await (const chunk of await client.chat.completions.create(ask)) {
  assert.ok(!("themecast" in chunk), "annotated unasked");
  text += chunk.choices[0].delta.content ?? "";
}
assert.ok(text.trim(), "no text");

const told = [];
const annotated = { ...ask, themecast: { every: "segment" } };
for await (const chunk of await client.chat.completions.create(annotated)) {
  if (chunk.themecast) told.push(chunk.themecast);
}
assert.ok(told.length >= 2, "the first segment and the summary");
assert.equal(told[0].segment, 0);
assert.ok(told.at(-1).summary.segments.length >= 1);

console.log("all good");
