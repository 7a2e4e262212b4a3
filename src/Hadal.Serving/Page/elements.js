// Makes elements. Text becomes text nodes, here and everywhere on this page: nothing that a model or a server says is ever read as markup.

const svgNamespace = "http://www.w3.org/2000/svg";

/** An element with attributes (class, id, …), event handlers (onclick, …) and children: nodes, or anything else as text. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same of SVG. */
export function drawing(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

/** One of the symbols in index.html. */
export function icon(name) {
  return drawing("svg", { "aria-hidden": "true" }, drawing("use", { href: `#icon-${name}` }));
}

/** A button that shows an icon, with its name for those who do not see it. */
export function iconButton(name, label, onclick) {
  return element("button", { type: "button", class: "quiet", title: label, onclick }, icon(name), element("span", { class: "unseen" }, label));
}

export function byId(id) {
  return document.getElementById(id);
}

/** Says something to screen readers. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Puts a text on the clipboard and shows for a moment that it is there. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is no clipboard object; a selection can still be copied.
    const field = element("textarea", { class: "unseen" }, text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  announce("Copied");
  const use = button.querySelector("use");
  use.setAttribute("href", "#icon-check");
  setTimeout(() => use.setAttribute("href", "#icon-copy"), 1500);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}
