// One message of the conversation on the page.

import { copy, drawing, element, icon, iconButton } from "./elements.js";
import { code, show } from "./markdown.js";

/** Shows a question, an answer or a tool's result. `act` has retry, edit, reply, and what error cards offer. */
export class MessageView {
  #message;
  #act;
  #content = element("div", { class: "content" });
  #thoughts = null;
  #calls = element("div", { class: "calls" });
  #note = element("div", { class: "note" });
  #foot = element("footer");
  #frame = 0;

  constructor(message, act) {
    this.#message = message;
    this.#act = act;
    const who = { user: "You", assistant: "Answer", tool: "Result" }[message.role];
    this.root = element("article", { class: `message ${message.role}`, "aria-label": who }, this.#content, this.#calls, this.#note, this.#foot);
    this.update();
  }

  get message() {
    return this.#message;
  }

  /** Shows what the message has become, with the next picture. */
  updateSoon() {
    this.#frame ||= requestAnimationFrame(() => this.update());
  }

  /** Shows what the message has become. */
  update() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const m = this.#message;
    if (m.role === "user") this.#question();
    else if (m.role === "tool") this.#content.replaceChildren(element("span", { class: "who" }, "Result"), element("pre", {}, element("code", {}, m.content)));
    else this.#answer();
  }

  #question() {
    this.#content.replaceChildren(this.#message.content);
    const button = iconButton("copy", "Copy question", () => copy(this.#message.content, button));
    this.#foot.replaceChildren(button, iconButton("edit", "Edit question", () => this.#edit()));
  }

  #answer() {
    const m = this.#message;
    this.root.setAttribute("aria-busy", String(Boolean(m.writing)));
    this.root.classList.toggle("writing", Boolean(m.writing));
    this.#showThoughts();
    show(this.#content, m.content);
    this.#content.hidden = m.content === "";
    this.#showCalls();
    this.#showNote();
    this.#showFoot();
  }

  #showThoughts() {
    const m = this.#message;
    if (!m.reasoning) return;
    if (!this.#thoughts) {
      this.#thoughts = { summary: element("span"), text: element("div", { class: "content" }) };
      this.root.prepend(element("details", { class: "thoughts" }, element("summary", {}, this.#thoughts.summary), this.#thoughts.text));
    }
    const seconds = m.reasoningSeconds === undefined ? "" : ` ${duration(m.reasoningSeconds)}`;
    const thinks = m.writing && !m.content && !m.calls?.length;
    this.#thoughts.summary.textContent = thinks ? `Thinking …${seconds}` : `Thought for${seconds || " a while"}`;
    show(this.#thoughts.text, m.reasoning);
  }

  #showCalls() {
    const m = this.#message;
    const calls = m.calls ?? [];
    while (this.#calls.childNodes.length > calls.length) this.#calls.lastChild.remove();
    calls.forEach((call, i) => {
      const place = this.#calls.childNodes[i] ?? this.#calls.appendChild(element("section", { class: "call", "aria-label": `Call of ${call.name}` }));
      const key = `${call.name}\n${call.arguments}\n${m.writing}\n${call.answered}`;
      if (place.shown === key) return;
      place.shown = key;
      place.replaceChildren(
        element("header", {}, icon("call"), element("strong", {}, call.name), element("span", {}, m.writing ? "is being called …" : "is called")),
        code(pretty(call.arguments), "arguments"),
        m.writing || m.stopped || call.answered ? "" : this.#reply(call));
    });
  }

  #reply(call) {
    const field = element("textarea", { rows: 1, "aria-label": `What ${call.name} returns`, placeholder: "What does it return?" });
    return element("form", {
      class: "reply",
      onsubmit: (e) => {
        e.preventDefault();
        this.#act.reply(this.#message, call, field.value);
      },
    }, field, element("button", { type: "submit" }, "Answer the call"));
  }

  #showNote() {
    const m = this.#message;
    const error = m.error;
    const key = JSON.stringify([error, m.writing && m.waiting]);
    if (this.#note.shown === key) return;
    this.#note.shown = key;
    if (!error) {
      this.#note.replaceChildren(m.writing && m.waiting ? element("p", { class: "wait" }, waves(), m.waiting) : "");
      return;
    }
    const act = { retry: ["Try again", () => this.#act.retry()], new: ["New conversation", () => this.#act.begin()], key: ["Give a key", () => this.#act.key()], settings: ["Settings", () => this.#act.settings()] };
    const [label, run] = act[error.act] ?? act.retry;
    this.#note.replaceChildren(element("section", { class: "error", role: "alert" },
      element("h3", {}, error.title),
      element("p", {}, error.message),
      error.advice ? element("p", { class: "fine" }, error.advice) : "",
      element("p", { class: "actions" },
        element("button", { type: "button", onclick: run }, label),
        error.act === "retry" ? "" : element("button", { type: "button", onclick: () => this.#act.retry() }, "Try again"))));
  }

  #showFoot() {
    const m = this.#message;
    this.#foot.replaceChildren();
    const facts = [];
    if (m.tokens > 0) {
      facts.push(`${m.exact ? "" : "about "}${m.tokens.toLocaleString("en")} token${m.tokens === 1 ? "" : "s"}`);
      if (m.rate > 0) facts.push(`${rate(m.rate)} tokens/s`);
      if (m.seconds > 0 && !m.writing) facts.push(duration(m.seconds));
      if (m.firstSeconds > 0 && !m.writing) facts.push(`first after ${duration(m.firstSeconds)}`);
      if (m.cached > 0) facts.push(`${m.cached.toLocaleString("en")} of ${m.promptTokens.toLocaleString("en")} prompt tokens reused`);
    }
    if (m.stopped) facts.push("stopped");
    if (m.finish === "length") facts.push("cut at the limit of tokens");
    if (facts.length) this.#foot.append(element("span", { class: "facts" }, ...facts.flatMap((f, i) => i ? [element("i", {}, " · "), f] : [f])));
    if (m.writing) return;
    if (m.content) {
      const button = iconButton("copy", "Copy answer", () => copy(m.content, button));
      this.#foot.append(button);
    }
    if (!m.error) this.#foot.append(iconButton("retry", "Answer again", () => this.#act.retry()));
  }

  #edit() {
    const field = element("textarea", { "aria-label": "Question" }, this.#message.content);
    const end = () => {
      this.root.classList.remove("editing");
      this.#question();
    };
    const form = element("form", {
      onsubmit: (e) => {
        e.preventDefault();
        if (field.value.trim()) this.#act.edit(this.#message, field.value);
      },
      onkeydown: (e) => {
        if (e.key === "Escape") {
          e.stopPropagation();
          end();
        }
        if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
          e.preventDefault();
          form.requestSubmit();
        }
      },
    }, field, element("p", { class: "actions" }, element("button", { type: "button", onclick: end }, "Cancel"), element("button", { type: "submit", class: "main" }, "Ask again")));
    this.root.classList.add("editing");
    this.#content.replaceChildren(form);
    this.#foot.replaceChildren();
    field.style.height = `${field.scrollHeight + 2}px`;
    field.focus();
  }
}

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function rate(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function waves() {
  return drawing("svg", { class: "waves", viewBox: "0 0 48 12", "aria-hidden": "true" }, drawing("path", { d: "M-12 6c4-5 8-5 12 0s8 5 12 0 8-5 12 0 8 5 12 0 8-5 12 0 8 5 12 0" }));
}
