"""The official openai client streams from the server, with the themecast field and without."""

import math

from openai import BadRequestError, OpenAI

client = OpenAI()
ask = dict(
    model="default",
    messages=[{"role": "user", "content": "Give me a short recipe for pancakes."}],
    max_tokens=60,
)

plain = list(client.chat.completions.create(**ask, stream=True))
assert "".join(c.choices[0].delta.content or "" for c in plain).strip(), "no text"
assert all("themecast" not in (c.model_extra or {}) for c in plain), "annotated unasked"
assert plain[-1].choices[0].finish_reason in ("stop", "length")

body = {"themecast": {"every": "token", "top": 3}}
chunks = list(client.chat.completions.create(**ask, stream=True, extra_body=body))
told = [c for c in chunks if c.choices[0].finish_reason is None]
for number, chunk in enumerate(told):
    note = chunk.model_extra["themecast"]
    assert "error" not in note, note
    assert note["token"] == number, (number, note["token"])
    assert [ahead["ahead"] for ahead in note["next"]] == [1, 2, 3]
    for top in [note["now"]] + [ahead["top"] for ahead in note["next"]]:
        assert 1 <= len(top) <= 3 and all(0 <= t["p"] <= 1 for t in top)
        assert sum(t["p"] for t in top) <= 1.001
    assert math.isfinite(note["divergence"]["score"])
summary = chunks[-1].model_extra["themecast"]["summary"]
assert summary["segments"], summary

whole = client.chat.completions.create(**ask, extra_body={"themecast": True})
assert whole.choices[0].message.content and whole.model_extra["themecast"]["summary"]["tokens"] > 0

text = client.completions.create(model="default", prompt="Once upon a time", max_tokens=20)
assert text.choices[0].text

try:
    client.chat.completions.create(**ask, extra_body={"themecast": {"top": 0}})
    raise SystemExit("top = 0 was not refused")
except BadRequestError as error:
    assert error.body["param"] == "themecast.top", error.body

print("all good")
