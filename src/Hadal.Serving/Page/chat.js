// The conversation: asks, shows the answer as it comes, stops, asks again.

import { answer, ServerError } from "./api.js";
import { announce, byId, element } from "./elements.js";
import { explain } from "./errors.js";
import { duration, MessageView } from "./message.js";
import { apply, settings } from "./settings.js";
import { keptConversation } from "./store.js";

/** Sends "experts" (detail { counts, tokens }), "used" (detail: tokens of context), "key", "settings", "working" (detail: whether). */
export class Chat extends EventTarget {
  #kept = keptConversation();
  #views = [];
  #watch;
  #abort = null;
  #stick = true;
  #list = byId("messages");
  #scroll = byId("scroll");

  constructor(watch) {
    super();
    this.#watch = watch;
    for (const message of this.#messages) this.#show(message);
    this.#scroll.addEventListener("scroll", () => {
      this.#stick = this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 60;
      byId("to-end").hidden = this.#stick;
    }, { passive: true });
    byId("to-end").addEventListener("click", () => this.#toEnd(true));
    new ResizeObserver(() => this.#toEnd()).observe(this.#list);
    this.#arrange();
  }

  get isWorking() {
    return this.#abort !== null;
  }

  get #messages() {
    return this.#kept.value;
  }

  /** The last answer's counts of experts and tokens of context, for what shows them. */
  announceLast() {
    const last = this.#messages.findLast((m) => m.role === "assistant");
    this.#tell("experts", { counts: last?.experts ?? null, answer: last });
    this.#tell("used", last?.usedTokens ?? 0);
  }

  ask(question) {
    if (this.isWorking || !question.trim()) return;
    this.#add({ role: "user", content: question });
    this.#answer();
  }

  stop() {
    this.#abort?.abort();
  }

  /** Answers the last question again. */
  retry() {
    if (this.isWorking) return;
    while (this.#messages.length && this.#messages[this.#messages.length - 1].role === "assistant") this.#drop();
    if (this.#messages.length) this.#answer();
  }

  /** Begins a new conversation; what is returned brings the old one back. */
  begin() {
    this.stop();
    const old = this.#messages;
    this.#replace([]);
    return () => this.#replace(old);
  }

  #replace(messages) {
    this.#kept.keep(messages);
    this.#views = [];
    this.#list.replaceChildren();
    for (const message of messages) this.#show(message);
    this.#arrange();
    this.announceLast();
  }

  #edit(message, text) {
    if (this.isWorking) return;
    while (this.#messages.length && this.#messages[this.#messages.length - 1] !== message) this.#drop();
    this.#drop();
    this.ask(text);
    byId("question").focus();
  }

  #reply(message, call, result) {
    if (this.isWorking) return;
    call.answered = true;
    this.#views.find((v) => v.message === message)?.update();
    this.#add({ role: "tool", content: result, callId: call.id });
    if (message.calls.every((c) => c.answered)) this.#answer();
  }

  #add(message) {
    this.#messages.push(message);
    this.#kept.keep();
    const view = this.#show(message);
    this.#arrange();
    this.#toEnd(true);
    return view;
  }

  #drop() {
    this.#messages.pop();
    this.#views.pop().root.remove();
    this.#kept.keep();
    this.#arrange();
  }

  #show(message) {
    const view = new MessageView(message, {
      retry: () => this.retry(),
      edit: (m, text) => this.#edit(m, text),
      reply: (m, call, text) => this.#reply(m, call, text),
      begin: () => this.#tell("new"),
      key: () => this.#tell("key"),
      settings: () => this.#tell("settings"),
    });
    this.#views.push(view);
    this.#list.append(view.root);
    return view;
  }

  // Only the last question can be edited, only the last answer be asked for again.
  #arrange() {
    byId("welcome").hidden = this.#messages.length > 0;
    const lastQuestion = this.#messages.findLastIndex((m) => m.role === "user");
    this.#views.forEach((view, i) => {
      view.root.classList.toggle("last-question", i === lastQuestion);
      view.root.classList.toggle("last", i === this.#views.length - 1);
    });
  }

  async #answer() {
    const before = [...this.#messages];
    const message = { role: "assistant", content: "", writing: true, waiting: this.#watch.state === "loading" ? "waiting for the model" : "reading the question" };
    const view = this.#add(message);
    this.#abort = new AbortController();
    this.#tell("working", true);
    announce("The answer is being written");
    const clock = new Clock(message);
    const tick = setInterval(() => {
      clock.tick();
      view.updateSoon();
      this.#kept.keep();
    }, 500);
    try {
      for await (const chunk of answer(this.#request(before), this.#abort.signal)) {
        this.#take(chunk, message, clock);
        view.updateSoon();
      }
    } catch (e) {
      if (e.name === "AbortError" || this.#abort.signal.aborted) message.stopped = true;
      else this.#fail(e, message);
    } finally {
      clearInterval(tick);
      clock.end();
      delete message.writing;
      delete message.waiting;
      this.#abort = null;
      for (const earlier of before) delete earlier.experts;
      this.#kept.keep();
      view.update();
      this.#arrange();
      this.#tell("working", false);
      if (!message.error) announce(message.stopped ? "Stopped" : `The answer is complete, ${message.tokens ?? 0} tokens in ${duration(message.seconds ?? 0)}`);
      this.#watch.look();
    }
  }

  #fail(e, message) {
    message.error = explain(e);
    if (e instanceof ServerError && e.status === 401) this.#tell("key", e.message);
  }

  #request(before) {
    const messages = before.filter((m) => !m.error || m.content).map((m) => {
      if (m.role === "tool") return { role: "tool", content: m.content, tool_call_id: m.callId };
      if (!m.calls?.length) return { role: m.role, content: m.content };
      return { role: m.role, content: m.content || null, tool_calls: m.calls.map((c) => ({ id: c.id, type: "function", function: { name: c.name, arguments: c.arguments } })) };
    });
    const system = settings().system?.trim();
    if (system) messages.unshift({ role: "system", content: system });
    return apply({ messages, stream: true, stream_options: { include_usage: true }, expert_counts: true }, this.#watch.status);
  }

  #take(chunk, message, clock) {
    if (chunk.progress) {
      clock.exact(chunk.progress.completion_tokens);
      this.#experts(message, chunk.progress.expert_counts);
    }
    if (chunk.usage) {
      const u = chunk.usage;
      clock.exact(u.completion_tokens);
      message.exact = true;
      message.promptTokens = u.prompt_tokens;
      message.cached = u.prompt_tokens_details?.cached_tokens ?? 0;
      message.usedTokens = u.total_tokens;
      this.#tell("used", u.total_tokens);
      this.#experts(message, u.expert_counts);
    }
    const choice = chunk.choices?.[0];
    if (!choice) return;
    const delta = choice.delta ?? {};
    if (delta.reasoning_content) {
      clock.token();
      message.reasoning = (message.reasoning ?? "") + delta.reasoning_content;
      clock.thinking = true;
    }
    if (delta.content) {
      clock.token();
      clock.thinking = false;
      message.content += delta.content;
    }
    for (const part of delta.tool_calls ?? []) {
      clock.token();
      clock.thinking = false;
      message.calls ??= [];
      const call = message.calls[part.index] ??= { id: part.id, name: part.function?.name ?? "", arguments: "" };
      call.arguments += part.function?.arguments ?? "";
    }
    if (clock.begun) delete message.waiting;
    if (choice.finish_reason) message.finish = choice.finish_reason;
  }

  #experts(message, counts) {
    if (!counts?.length) return;
    message.experts = counts;
    this.#tell("experts", { counts, answer: message });
  }

  #toEnd(always = false) {
    if (!this.#stick && !always) return;
    this.#stick = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    byId("to-end").hidden = true;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// Times an answer. Pieces of the stream are about one token each; the server's own counts put the sum right.
class Clock {
  #message;
  #start = performance.now();
  #first = null;
  #last = null;
  #thinkStart = null;
  #thinks = false;

  constructor(message) {
    this.#message = message;
  }

  get begun() {
    return this.#first !== null;
  }

  set thinking(on) {
    if (on) this.#thinkStart ??= this.#last;
    if (this.#thinks || on) this.#measureThoughts();
    this.#thinks = on;
  }

  token() {
    this.#last = performance.now();
    this.#first ??= this.#last;
    this.#message.tokens = (this.#message.tokens ?? 0) + 1;
    this.#message.firstSeconds = (this.#first - this.#start) / 1000;
    this.#measure();
  }

  exact(tokens) {
    this.#message.tokens = tokens;
    this.#measure();
  }

  tick() {
    if (this.#thinks) this.#measureThoughts();
  }

  end() {
    if (this.#thinks) this.#measureThoughts();
    this.#message.seconds = (performance.now() - this.#start) / 1000;

    // An answer that comes all at once has only its whole time.
    if (this.begun && this.#message.tokens > 0) this.#message.rate ??= this.#message.tokens / this.#message.seconds;
  }

  // From the first token to the last, so that the prompt is not part of it.
  #measure() {
    const seconds = (this.#last - this.#first) / 1000;
    if (this.#message.tokens > 1 && seconds > 0.02) this.#message.rate = (this.#message.tokens - 1) / seconds;
  }

  #measureThoughts() {
    this.#message.reasoningSeconds = (performance.now() - this.#thinkStart) / 1000;
  }
}
