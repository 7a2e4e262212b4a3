// Puts the page together.

import { key, setKey } from "./api.js";
import { Chat } from "./chat.js";
import { announce, byId, element } from "./elements.js";
import { ExpertMap } from "./experts.js";
import { Gauges } from "./gauges.js";
import { applyTheme, inForce, open as openSettings } from "./settings.js";
import { StatusWatch } from "./status.js";

const watch = new StatusWatch();
const chat = new Chat(watch);
const gauges = new Gauges(byId("gauges"));
const maps = [new ExpertMap(byId("experts-small"), false), new ExpertMap(byId("experts-large"), true)];
const question = byId("question");
let experts = null;
let used = 0;
let refusedKey = false;

applyTheme();
showInForce();

watch.addEventListener("status", ({ detail: { state, status, error } }) => {
  const server = byId("server");
  server.dataset.state = state;
  const text = {
    ready: () => status.model,
    loading: () => "the model is being loaded …",
    stopping: () => error.message,
    gone: () => "the server cannot be reached",
    key: () => "a key is needed",
    failed: () => error.message,
  }[state]();
  if (byId("server-text").textContent !== text) byId("server-text").textContent = text;
  server.title = state === "ready" ? `${status.model}, template ${status.template ?? "none"}` : text;
  gauges.take(state === "ready" ? status : null);
  if (state === "ready") {
    document.title = `${status.model} – Hadal`;
    byId("experts").hidden = status.experts === 0;
    byId("welcome-facts").textContent = facts(status);
    refusedKey = false;
    showExperts();
    showUsed();
  }
  if (state === "key" && !refusedKey) askKey(error.message);
});

chat.addEventListener("experts", ({ detail }) => {
  experts = detail.counts;
  showExperts();
});
chat.addEventListener("used", ({ detail }) => {
  used = detail;
  showUsed();
});
chat.addEventListener("key", ({ detail }) => askKey(detail ?? ""));
chat.addEventListener("new", begin);
chat.addEventListener("settings", showSettings);
chat.addEventListener("working", ({ detail }) => {
  byId("send").hidden = detail;
  byId("stop").hidden = !detail;
  byId("composer").classList.toggle("working", detail);
});

byId("composer").addEventListener("submit", (e) => {
  e.preventDefault();
  if (chat.isWorking || !question.value.trim()) return;
  const text = question.value;
  question.value = "";
  fit();
  chat.ask(text);
});
question.addEventListener("input", fit);
question.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  byId("composer").requestSubmit();
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && chat.isWorking && !document.querySelector("dialog[open]")) stop();
});
byId("stop").addEventListener("click", stop);
byId("new").addEventListener("click", begin);
byId("show-settings").addEventListener("click", showSettings);
byId("show-instruments").addEventListener("click", () => showInstruments(document.body.dataset.instruments !== "shown"));
byId("enlarge").addEventListener("click", () => {
  byId("experts-dialog").showModal();
  maps[1].draw();
});
byId("experts-close").addEventListener("click", () => byId("experts-dialog").close());
byId("key-later").addEventListener("click", () => {
  refusedKey = true;
  byId("key").close();
});
byId("key").addEventListener("cancel", () => refusedKey = true);
byId("key-form").addEventListener("submit", (e) => {
  e.preventDefault();
  setKey(byId("key-field").value.trim());
  byId("key-field").value = "";
  byId("key").close();
  watch.look();
  if (document.querySelector(".message.last .error")) chat.retry();
});

// There is room for both beside each other, or one at a time.
const wide = matchMedia("(min-width: 60rem)");
wide.addEventListener("change", () => showInstruments(wide.matches));
showInstruments(wide.matches);
chat.announceLast();
watch.start();
question.focus();

function stop() {
  chat.stop();
  question.focus();
}

function begin() {
  if (!wide.matches) showInstruments(false);
  if (!document.querySelector(".message")) {
    question.focus();
    return;
  }
  const undo = chat.begin();
  const toast = byId("toast");
  clearTimeout(toast.timer);
  toast.replaceChildren("A new conversation. ", element("button", {
    type: "button",
    onclick: () => {
      undo();
      toast.hidden = true;
      question.focus();
    },
  }, "Bring the old one back"));
  toast.hidden = false;
  toast.timer = setTimeout(() => toast.hidden = true, 8000);
  announce("A new conversation");
  question.focus();
}

function askKey(reason) {
  if (byId("key").open) return;
  byId("key-reason").textContent = key() ? reason : "Whoever runs the server can make one with hadal key new.";
  byId("key").showModal();
  byId("key-field").focus();
}

function showSettings() {
  openSettings(watch.status, () => {
    showInForce();
    maps.forEach((m) => m.draw());
  });
}

function showInstruments(shown) {
  document.body.dataset.instruments = shown ? "shown" : "hidden";
  byId("show-instruments").setAttribute("aria-expanded", String(shown));
}

function showExperts() {
  for (const map of maps) map.show(experts, watch.status?.experts ?? 0);
}

function showInForce() {
  byId("in-force").textContent = inForce();
}

function showUsed() {
  const context = watch.status?.context_tokens;
  const depth = byId("depth");
  byId("context-used").textContent = context && used ? `${used.toLocaleString("en")} of ${context.toLocaleString("en")} tokens of context` : "";
  depth.hidden = !context || !used;
  depth.setAttribute("aria-valuenow", String(used));
  depth.setAttribute("aria-valuemax", String(context ?? 0));
  depth.firstElementChild.style.width = `${Math.min(100, 100 * used / (context || 1))}%`;
  depth.classList.toggle("full", used > 0.9 * (context ?? Infinity));
}

function facts(s) {
  const parts = [s.model, `${s.layers} layers`];
  if (s.experts) parts.push(`${s.experts} experts, ${s.experts_per_token} a token`);
  parts.push(`context of ${s.context_tokens.toLocaleString("en")} tokens`);
  if (!s.template) parts.push("no chat template: start the server with --template");
  return parts.join(" · ");
}

function fit() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight + 2, innerHeight * 0.4)}px`;
}
