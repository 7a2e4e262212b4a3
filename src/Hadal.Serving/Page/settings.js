// The drawer of settings. An empty field leaves the choice to the server, and nothing of it is sent.

import { byId, element, icon } from "./elements.js";
import { Kept } from "./store.js";

const kept = new Kept("hadal.settings", {});

export function settings() {
  return kept.value;
}

/** Puts the settings into a request; throws a message if one of them cannot be read. */
export function apply(request, status) {
  const s = kept.value;
  for (const [name, field] of [["temperature", "temperature"], ["topP", "top_p"], ["maxTokens", "max_tokens"], ["seed", "seed"]]) {
    if (typeof s[name] === "number") request[field] = s[name];
  }
  if (s.thinking && status?.can_switch_thinking) request.thinking = { type: s.thinking };
  if (s.format === "json") request.response_format = { type: "json_object" };
  if (s.format === "schema") request.response_format = { type: "json_schema", json_schema: { name: "answer", schema: parse(s.schema, "The JSON Schema") } };
  if (s.tools?.trim()) {
    const tools = parse(s.tools, "The list of tools");
    request.tools = (Array.isArray(tools) ? tools : [tools]).map((t) => t.function ? t : { type: "function", function: t });
    if (s.toolChoice) request.tool_choice = s.toolChoice;
  }
  return request;
}

/** One line about what differs from the server's own choices. */
export function inForce() {
  const s = kept.value;
  const parts = [];
  if (s.system?.trim()) parts.push("system message");
  if (typeof s.temperature === "number") parts.push(`temperature ${s.temperature}`);
  if (typeof s.topP === "number") parts.push(`top-p ${s.topP}`);
  if (typeof s.maxTokens === "number") parts.push(`${s.maxTokens} tokens at most`);
  if (typeof s.seed === "number") parts.push(`seed ${s.seed}`);
  if (s.format === "json" || s.format === "schema") parts.push("JSON");
  if (s.tools?.trim()) parts.push("tools");
  return parts.join(" · ");
}

/** Sets the page's colours. */
export function applyTheme() {
  const theme = kept.value.theme;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** Opens the drawer. */
export function open(status, changed) {
  const s = kept.value;
  const dialog = byId("settings");
  const form = byId("settings-form");
  const close = element("button", { type: "submit", class: "quiet", title: "Close (Esc)" }, icon("close"), element("span", { class: "unseen" }, "Close"));
  form.replaceChildren(...[
    element("div", { class: "title-row" }, element("h2", { id: "settings-title" }, "Settings"), close),
    text("system", "System message", "What the model is told before the conversation.", 4),
    element("div", { class: "pair" },
      number("temperature", "Temperature", { min: 0, max: 2, step: "any", placeholder: show(status?.temperature) }),
      number("topP", "Top-p", { min: 0.01, max: 1, step: "any", placeholder: show(status?.top_p) }),
      number("maxTokens", "Tokens at most", { min: 1, step: 1, placeholder: "no limit" }),
      number("seed", "Seed", { step: 1, placeholder: "random" })),
    element("p", { class: "fine" }, "An empty field leaves the choice to the server."),
    status?.can_switch_thinking ? choice("thinking", "Thinking", [["", "as the model does"], ["enabled", "on"], ["disabled", "off"]]) : null,
    choice("format", "Answer", [["", "text"], ["json", "a JSON object"], ["schema", "JSON by a schema"]]),
    text("schema", "JSON Schema", "", 6, true),
    element("details", { open: Boolean(s.tools?.trim()) },
      element("summary", {}, "Tools"),
      text("tools", "Functions as JSON", "A list of {\"name\", \"description\", \"parameters\"}. The page shows calls; you say what they return.", 8, true),
      choice("toolChoice", "Calls", [["", "when the model wants to"], ["required", "always"], ["none", "never"]])),
    choice("theme", "Colours", [["", "as the system has them"], ["light", "light"], ["dark", "dark"]]),
    element("p", { class: "actions" }, element("button", { type: "button", onclick: reset }, "Back to the server's choices")),
    element("p", { class: "fine" }, "Settings and conversation stay in this browser. The page speaks to this server only."),
  ].filter(Boolean));
  reveal();
  form.oninput = read;
  form.onsubmit = (e) => {
    e.preventDefault();
    dialog.close();
  };
  dialog.onclick = (e) => {
    if (e.target === dialog) dialog.close();
  };
  dialog.showModal();

  function text(name, label, hint, rows, isCode = false) {
    return element("div", { class: "field", "data-field": name },
      element("label", { for: `set-${name}` }, label),
      element("textarea", { id: `set-${name}`, name, rows, class: isCode ? "mono" : null, spellcheck: isCode ? "false" : null, "aria-describedby": `about-${name}` }, s[name] ?? ""),
      element("p", { class: "fine", id: `about-${name}` }, hint));
  }

  function number(name, label, attributes) {
    return element("div", { class: "field" },
      element("label", { for: `set-${name}` }, label),
      element("input", { id: `set-${name}`, name, type: "number", inputmode: "decimal", value: s[name] ?? null, ...attributes }));
  }

  function choice(name, label, options) {
    return element("div", { class: "field line" },
      element("label", { for: `set-${name}` }, label),
      element("select", { id: `set-${name}`, name }, ...options.map(([value, title]) => element("option", { value, selected: (s[name] ?? "") === value }, title))));
  }

  function read() {
    const value = {};
    for (const field of form.elements) {
      if (!field.name || field.value === "") continue;
      if (field.type !== "number") value[field.name] = field.value;
      else if (field.validity.valid) value[field.name] = field.valueAsNumber;
    }
    kept.keep(value);
    applyTheme();
    reveal();
    changed();
  }

  function reveal() {
    form.querySelector("[data-field=schema]").hidden = (form.elements.format.value !== "schema");
    for (const [name, isList] of [["schema", false], ["tools", true]]) {
      const field = form.elements[name];
      let problem = "";
      try {
        if (field.value.trim()) parse(field.value, isList ? "The list of tools" : "The JSON Schema");
      } catch (e) {
        problem = e.message;
      }
      field.setCustomValidity(problem);
      field.setAttribute("aria-invalid", String(problem !== ""));
      const about = byId(`about-${name}`);
      about.classList.toggle("bad", problem !== "");
      about.textContent = problem || (isList ? "A list of {\"name\", \"description\", \"parameters\"}. The page shows calls; you say what they return." : "");
    }
  }

  function reset() {
    const { theme } = kept.value;
    kept.keep(theme ? { theme } : {});
    dialog.close();
    changed();
  }
}

function show(value) {
  return typeof value === "number" ? String(value) : "";
}

function parse(json, what) {
  try {
    return JSON.parse(json ?? "");
  } catch (e) {
    throw new Error(`${what} in the settings is no valid JSON: ${e.message}`);
  }
}
