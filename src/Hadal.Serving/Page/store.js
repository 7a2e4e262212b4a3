// What stays in this browser: the conversation and the settings in localStorage, the key (api.js) in sessionStorage.

/** A value under a name, read once and written when it changes. */
export class Kept {
  #name;

  constructor(name, initial) {
    this.#name = name;
    this.value = initial;
    try {
      const text = localStorage.getItem(name);
      const read = text === null ? null : JSON.parse(text);
      if (read !== null && Array.isArray(read) === Array.isArray(initial) && typeof read === typeof initial) this.value = read;
    } catch {
      // What cannot be read is as good as nothing; storage may also be forbidden.
    }
  }

  keep(value = this.value) {
    this.value = value;
    try {
      localStorage.setItem(this.#name, JSON.stringify(value));
    } catch {
      // Full or forbidden: the page goes on without.
    }
  }
}

/** The conversation as it was left. An answer that was being written when the page went away is one that was stopped. */
export function keptConversation() {
  const kept = new Kept("hadal.conversation", []);
  kept.value = kept.value.filter((m) => m && typeof m.content === "string" && ["user", "assistant", "tool"].includes(m.role));
  for (const message of kept.value) {
    if (message.writing) {
      delete message.writing;
      message.stopped = true;
    }
  }
  return kept;
}
