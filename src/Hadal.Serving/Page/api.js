// What the page asks its own server: one place for addresses, the key, errors and streams.

const keyName = "hadal.key";

/** An answer of the server that is an error, or none at all (status 0). */
export class ServerError extends Error {
  constructor(status, { message, type, code, param } = {}, retryAfter = null) {
    super(message ?? `The server answered with status ${status}.`);
    Object.assign(this, { status, type, code, field: param, retryAfter });
  }
}

export function key() {
  return sessionStorage.getItem(keyName);
}

export function setKey(value) {
  if (value) sessionStorage.setItem(keyName, value);
  else sessionStorage.removeItem(keyName);
}

/** What the engine does. */
export async function status() {
  const response = await ask("hadal/status", { signal: AbortSignal.timeout(5000) });
  return response.json();
}

/** Answers a conversation; hands out the chunks of the stream as they come. */
export async function* answer(request, signal) {
  const response = await ask("v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
  let ended = false;
  for await (const data of events(response.body)) {
    if (data === "[DONE]") {
      ended = true;
      break;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ServerError(response.status, chunk.error);
    yield chunk;
  }
  if (!ended) throw new ServerError(0, { message: "The connection broke off before the answer had ended.", code: "broken_stream" });
}

async function ask(address, options) {
  const headers = { ...options.headers };
  if (key()) headers.Authorization = `Bearer ${key()}`;
  let response;
  try {
    response = await fetch(address, { ...options, headers, cache: "no-store", credentials: "same-origin" });
  } catch (e) {
    if (options.signal?.aborted) throw e;
    throw new ServerError(0, { message: "The server does not answer.", code: "unreachable" });
  }
  if (response.ok) return response;
  let body = {};
  try {
    body = (await response.json()).error ?? {};
  } catch {
    // Something between the page and the server may answer in other words.
  }
  throw new ServerError(response.status, body, Number(response.headers.get("Retry-After")) || null);
}

// The data of server-sent events, one after the other.
async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      let part;
      try {
        part = await reader.read();
      } catch (e) {
        if (e.name === "AbortError") throw e;
        throw new ServerError(0, { message: "The connection broke off before the answer had ended.", code: "broken_stream" });
      }
      if (part.done) return;
      const lines = (rest + decoder.decode(part.value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) yield line.slice(5).trim();
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
