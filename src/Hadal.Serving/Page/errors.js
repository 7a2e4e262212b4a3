// What an error means to who sits before the page, and what can be done.

import { ServerError } from "./api.js";

/** { title, message, advice, act }: act is what the card's button does, one of retry, new, key, settings. */
export function explain(e) {
  if (!(e instanceof ServerError)) return { title: "This did not work", message: e.message, advice: "", act: "settings" };
  const say = (title, advice, act = "retry") => ({ title, message: e.message, advice, act });
  if (e.code === "broken_stream") return say("The answer broke off", "What had come is kept. The server may have been stopped, or the network failed.");
  switch (e.status) {
    case 0:
      return say("The server cannot be reached", "See whether hadal serve still runs. Your question is kept; try again when it is back.");
    case 401:
      return say("A key is needed", "Give a key that this server knows.", "key");
    case 408:
      return say("The answer took too long", "Ask for a shorter answer, or have the server started with a longer --request-timeout.");
    case 413:
      return say("The conversation is too long to be sent", "Begin a new conversation.", "new");
    case 429:
      return say("Too many requests", e.retryAfter ? `Try again in ${e.retryAfter} seconds.` : "Try again in a moment.");
    case 503:
      return say(
        e.code === "model_loading" ? "The model is being loaded" : e.code === "model_failed" ? "The model could not be loaded" : "The server has no room at the moment",
        e.code === "model_failed" ? "The server's output says why." : "Your question is kept; try again in a moment.");
  }
  if (e.code === "context_length_exceeded") return say("The conversation is longer than the model's context", "Begin a new conversation, or shorten the last question.", "new");
  if (e.status >= 500) return say("The server failed", "Its log says why. Trying again may help.");
  return say("The server did not take the request", e.field ? `It is about ${e.field}; see the settings.` : "See the settings.", "settings");
}
