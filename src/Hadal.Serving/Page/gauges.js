// The engine's gauges: figures of now, and lines of the last minute.

import { drawing, element } from "./elements.js";

const samples = 60;
const width = 120, height = 28;

/** Shows what /hadal/status says. */
export class Gauges {
  #place;
  #rows = new Map();
  #last = null;

  constructor(place) {
    this.#place = place;
    this.#add("rate", "Tokens generated", "tokens/s", { line: true, wide: true });
    this.#add("prompt", "Prompt tokens", "tokens/s", { line: true });
    this.#add("step", "Step", "ms", { line: true });
    this.#add("rows", "Rows in a step", "", { line: true });
    this.#add("texts", "Answers in work", "", { line: true });
    this.#add("cache", "Cache pages", "", { bar: true, wide: true });
    this.#add("reuse", "Prompts reused", "%", {});
    this.#add("drafts", "Drafts accepted", "%", {});
    this.#add("balance", "Expert imbalance", "", {});
    this.#add("preemptions", "Preemptions", "", {});
  }

  /** Takes the next status; null when there is none. */
  take(s) {
    this.#place.classList.toggle("stale", s === null);
    if (s === null) {
      this.#last = null;
      return;
    }
    const now = performance.now();
    const last = this.#last;
    const seconds = last ? (now - last.now) / 1000 : 0;
    const rate = (name) => last && seconds > 0 ? Math.max(0, (s[name] - last.status[name]) / seconds) : null;
    const stepped = last === null || s.steps !== last.status.steps;
    this.#set("rate", whole(rate("generated_tokens")), rate("generated_tokens"));
    this.#set("prompt", whole(rate("computed_prompt_tokens")), rate("computed_prompt_tokens"));
    this.#set("step", s.steps ? (s.step_seconds * 1000).toFixed(s.step_seconds < 0.0995 ? 1 : 0) : null, stepped ? s.step_seconds * 1000 : 0);
    this.#set("rows", s.running || stepped ? s.step_rows : 0, stepped ? s.step_rows : 0, s.running ? `of ${s.step_sequences} answer${s.step_sequences === 1 ? "" : "s"}` : "");
    this.#set("texts", s.running, s.running, s.waiting ? `${s.waiting.toLocaleString("en")} waiting` : "none waiting");
    this.#cache(s);
    const prompts = s.reused_prompt_tokens + s.computed_prompt_tokens;
    this.#set("reuse", share(s.reused_prompt_tokens, prompts), null, prompts ? `${brief(s.reused_prompt_tokens)} of ${brief(prompts)}` : "");
    this.#rows.get("drafts").root.hidden = s.drafts === 0;
    this.#set("drafts", share(s.accepted_drafts, s.proposed_drafts), null, s.proposed_drafts ? `${brief(s.accepted_drafts)} of ${brief(s.proposed_drafts)}` : "");
    this.#rows.get("balance").root.hidden = s.experts === 0;
    this.#set("balance", s.expert_imbalance.toFixed(2), null, "busiest ÷ mean − 1");
    this.#rows.get("preemptions").root.hidden = s.preemptions === 0;
    this.#set("preemptions", brief(s.preemptions), null, "");
    this.#last = { now, status: s };
  }

  #add(name, label, unit, { line, bar, wide }) {
    const value = element("b", {}, "–");
    const detail = element("small");
    const row = { value, detail, values: [] };
    row.root = element("div", { class: `gauge${wide ? " wide" : ""}`, "data-gauge": name },
      element("span", { class: "label" }, label),
      element("span", { class: "value" }, value, unit ? element("i", {}, ` ${unit}`) : ""),
      detail);
    if (line) {
      row.area = drawing("path", { class: "area" });
      row.path = drawing("path", { class: "path" });
      row.root.append(drawing("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, row.area, row.path));
    }
    if (bar) {
      row.held = element("i", { class: "held" });
      row.kept = element("i", { class: "kept" });
      row.root.append(element("div", { class: "bar", "aria-hidden": "true" }, row.held, row.kept));
    }
    this.#rows.set(name, row);
    this.#place.append(row.root);
  }

  #set(name, text, sample = null, detail = null) {
    const row = this.#rows.get(name);
    row.value.textContent = text === null ? "–" : String(text);
    if (detail !== null) row.detail.textContent = detail;
    if (!row.path || sample === null) return;
    row.values.push(sample);
    if (row.values.length > samples) row.values.shift();
    const most = Math.max(...row.values, 1e-9);
    const step = width / (samples - 1);
    const start = width - (row.values.length - 1) * step;
    const points = row.values.map((v, i) => `${(start + i * step).toFixed(1)} ${(height - 1.5 - (v / most) * (height - 4)).toFixed(1)}`);
    row.path.setAttribute("d", `M${points.join("L")}`);
    row.area.setAttribute("d", `M${start.toFixed(1)} ${height}L${points.join("L")}L${width} ${height}Z`);
  }

  #cache(s) {
    const row = this.#rows.get("cache");
    row.value.textContent = `${s.held_pages.toLocaleString("en")}`;
    row.detail.textContent = `in use, ${s.kept_pages.toLocaleString("en")} kept for later, of ${s.most_pages.toLocaleString("en")}`;
    row.held.style.width = `${100 * s.held_pages / Math.max(1, s.most_pages)}%`;
    row.kept.style.width = `${100 * s.kept_pages / Math.max(1, s.most_pages)}%`;
  }
}

function whole(value) {
  return value === null ? null : value >= 100 || value === 0 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function share(part, all) {
  return all > 0 ? (100 * part / all).toFixed(0) : null;
}

function brief(n) {
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)}M` : n >= 1e4 ? `${(n / 1e3).toFixed(0)}k` : n.toLocaleString("en");
}
