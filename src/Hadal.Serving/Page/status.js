// Looks at the engine once a second while the page is seen, and tells whoever listens.

import { ServerError, status } from "./api.js";

const interval = 1000;
const patientInterval = 3000;

/** Sends "status" events; their detail is { state, status, error }. States: ready, loading, stopping, gone, key, failed. */
export class StatusWatch extends EventTarget {
  state = "unknown";
  status = null;
  #timer = 0;
  #looking = false;

  start() {
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("online", () => this.look());
    this.look();
  }

  /** Looks now. */
  async look() {
    if (this.#looking) return;
    clearTimeout(this.#timer);
    if (document.visibilityState !== "visible") return;
    this.#looking = true;
    let error = null;
    try {
      this.status = await status();
      this.state = "ready";
    } catch (e) {
      error = e;
      this.state = stateOf(e);
    }
    this.#looking = false;
    this.dispatchEvent(new CustomEvent("status", { detail: { state: this.state, status: this.status, error } }));

    // Without a key there is nothing to be seen until there is one.
    if (this.state !== "key") this.#timer = setTimeout(() => this.look(), this.state === "ready" ? interval : patientInterval);
  }
}

function stateOf(e) {
  if (!(e instanceof ServerError) || e.status === 0) return "gone";
  if (e.status === 401) return "key";
  if (e.status === 503) return e.code === "model_loading" ? "loading" : e.code === "model_failed" ? "failed" : "stopping";
  return "failed";
}
