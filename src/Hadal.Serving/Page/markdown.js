// Shows the Markdown that models write: paragraphs, headings, lists, quotes, tables, rules, code, emphasis, links. Everything is built from text nodes.
// The work is linear in the text's length (nesting is limited), whatever the text is.

import { copy, element, iconButton } from "./elements.js";

const mostNesting = 10;
const fence = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const heading = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const rule = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const item = /^( *)([-*+]|\d{1,9}[.)])( +|$)(.*)$/;
const quote = /^ {0,3}> ?(.*)$/;
const tableRule = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Shows a text in a place, and leaves what is there already and has not changed. */
export function show(place, text) {
  const blocks = blocksOf(text.split(/\r?\n/));
  const shown = place.shownBlocks ?? [];
  let same = 0;
  while (same < shown.length && same < blocks.length && shown[same] === blocks[same].source) same++;
  while (place.childNodes.length > same) place.lastChild.remove();
  for (const block of blocks.slice(same)) place.append(render(block, 0));
  place.shownBlocks = blocks.map((b) => b.source);
}

function blocksOf(lines) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at++;
      continue;
    }
    const start = at;
    const block = blockAt(lines, at);
    at = block.end;
    block.source = lines.slice(start, at).join("\n");
    blocks.push(block);
  }
  return blocks;
}

function blockAt(lines, at) {
  const line = lines[at];
  let match = fence.exec(line);
  if (match) {
    let end = at + 1;
    while (end < lines.length && !closes(lines[end], match[1])) end++;
    return { kind: "code", language: match[2].trim().split(/\s/)[0], lines: lines.slice(at + 1, end), end: Math.min(end + 1, lines.length) };
  }
  match = heading.exec(line);
  if (match) return { kind: "heading", level: match[1].length, text: match[2], end: at + 1 };
  if (rule.test(line)) return { kind: "rule", end: at + 1 };
  if (quote.test(line)) {
    let end = at;
    while (end < lines.length && quote.test(lines[end])) end++;
    return { kind: "quote", lines: lines.slice(at, end).map((l) => quote.exec(l)[1]), end };
  }
  if (item.test(line)) return listAt(lines, at);
  if (line.includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && tableRule.test(lines[at + 1])) {
    let end = at + 2;
    while (end < lines.length && lines[end].includes("|")) end++;
    return { kind: "table", head: cells(line), align: cells(lines[at + 1]), rows: lines.slice(at + 2, end).map(cells), end };
  }
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !begins(lines[end])) end++;
  return { kind: "paragraph", text: lines.slice(at, end).join("\n"), end };
}

function closes(line, opening) {
  const mark = line.trim();
  return mark.length >= opening.length && mark === opening[0].repeat(mark.length);
}

function begins(line) {
  return fence.test(line) || heading.test(line) || rule.test(line) || quote.test(line) || item.test(line);
}

function listAt(lines, at) {
  const first = item.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const indent = first[1].length;
  const items = [];
  let loose = false;
  while (at < lines.length) {
    const match = item.exec(lines[at]);
    if (!match || match[1].length > indent + 1 || match[1].length < indent || /\d/.test(match[2]) !== ordered || rule.test(lines[at])) break;
    const inner = match[1].length + match[2].length + Math.min(Math.max(match[3].length, 1), 4);
    const content = [match[4]];
    let end = at + 1;
    for (; end < lines.length; end++) {
      const line = lines[end];
      if (line.trim() === "") {
        const next = lines[end + 1];
        if (next === undefined || next.trim() === "" || indentOf(next) < Math.min(inner, indent + 2)) break;
        content.push("");
        loose = true;
      } else if (indentOf(line) > indent && indentOf(line) >= Math.min(inner, indent + 2)) {
        content.push(line.slice(Math.min(inner, indentOf(line))));
      } else if (!begins(line) && content[content.length - 1] !== "") {
        content.push(line.trim());
      } else {
        break;
      }
    }
    items.push(content);
    at = end;

    // One empty line between items does not end the list.
    if (at < lines.length && lines[at].trim() === "" && at + 1 < lines.length && item.test(lines[at + 1]) && indentOf(lines[at + 1]) >= indent) {
      const next = item.exec(lines[at + 1]);
      if (next[1].length <= indent + 1 && /\d/.test(next[2]) === ordered) {
        at++;
        loose = true;
      }
    }
  }
  return { kind: "list", ordered, start: ordered ? parseInt(first[2], 10) : 1, items, loose, end: at };
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function cells(line) {
  return line.trim().replace(/^\|/, "").replace(/\|$/, "").split("|").map((c) => c.trim());
}

function render(block, depth) {
  switch (block.kind) {
    case "code":
      return code(block.lines.join("\n"), block.language);
    case "heading":
      // The page has headings of its own above.
      return element(`h${Math.min(6, block.level + 2)}`, {}, ...inline(block.text, 0));
    case "rule":
      return element("hr");
    case "quote":
      return element("blockquote", {}, ...inside(block.lines, depth, false));
    case "list":
      return element(block.ordered ? "ol" : "ul", block.ordered && block.start !== 1 ? { start: block.start } : {},
        ...block.items.map((lines) => element("li", {}, ...inside(lines, depth, !block.loose))));
    case "table":
      return table(block);
    default:
      return element("p", {}, ...inline(block.text, 0));
  }
}

function inside(lines, depth, tight) {
  if (depth >= mostNesting) return [lines.join("\n")];
  return blocksOf(lines).flatMap((b) => tight && b.kind === "paragraph" ? inline(b.text, 0) : [render(b, depth + 1)]);
}

/** A block of code, with a button that copies it. */
export function code(text, language) {
  const button = iconButton("copy", "Copy code", () => copy(text, button));
  return element("figure", { class: "code" },
    element("figcaption", {}, element("span", {}, language || "text"), button),
    element("pre", { tabindex: "0" }, element("code", {}, text)));
}

function table(block) {
  const align = block.align.map((a) => a.startsWith(":") && a.endsWith(":") ? "center" : a.endsWith(":") ? "end" : null);
  const row = (texts, kind) => element("tr", {}, ...block.head.map((_, i) => element(kind, { "data-align": align[i] }, ...inline(texts[i] ?? "", 0))));
  return element("div", { class: "table", tabindex: "0" },
    element("table", {}, element("thead", {}, row(block.head, "th")), element("tbody", {}, ...block.rows.map((r) => row(r, "td")))));
}

const marks = [["**", "strong"], ["__", "strong"], ["~~", "del"], ["*", "em"], ["_", "em"]];

function inline(text, depth) {
  const nodes = [];
  const missing = new Set();
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) nodes.push(...plain.split("\n").flatMap((part, i) => i === 0 ? [part] : [element("br"), part]).filter((n) => n !== ""));
    plain = "";
  };
  const push = (node, end) => {
    flush();
    nodes.push(node);
    at = end;
  };
  while (at < text.length) {
    const c = text[at];
    if (c === "\\" && at + 1 < text.length && /[!-/:-@[-`{-~]/.test(text[at + 1])) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    if (c === "`") {
      let run = 1;
      while (text[at + run] === "`") run++;
      const ticks = "`".repeat(run);
      const end = missing.has(ticks) ? -1 : text.indexOf(ticks, at + run);
      if (end > 0) {
        push(element("code", {}, text.slice(at + run, end).replace(/\n/g, " ").trim()), end + run);
        continue;
      }
      missing.add(ticks);
      plain += ticks;
      at += run;
      continue;
    }
    if (c === "[" && depth < 3) {
      const link = linkAt(text, at, depth);
      if (link) {
        push(link.node, link.end);
        continue;
      }
    }
    if (c === "h" && !/\w/.test(text[at - 1] ?? " ") && /^https?:\/\//.test(text.slice(at, at + 8))) {
      const address = /^[^\s<>"`]{1,2000}/.exec(text.slice(at, at + 2000))[0].replace(/[.,;:!?'*_)\]]+$/, "");
      const node = anchor(address, [address]);
      if (node) {
        push(node, at + address.length);
        continue;
      }
    }
    const mark = depth < mostNesting ? emphasisAt(text, at, missing) : null;
    if (mark) {
      push(element(mark.name, {}, ...inline(text.slice(at + mark.length, mark.end), depth + 1)), mark.end + mark.length);
      continue;
    }
    plain += c;
    at++;
  }
  flush();
  return nodes;
}

function emphasisAt(text, at, missing) {
  for (const [sign, name] of marks) {
    if (!text.startsWith(sign, at) || missing.has(sign)) continue;
    const next = text[at + sign.length] ?? " ";
    if (/\s/.test(next)) continue;
    if (sign[0] === "_" && /\w/.test(text[at - 1] ?? " ")) continue;
    let end = text.indexOf(sign, at + sign.length + 1);
    for (let tries = 0; end > 0 && tries < 20; tries++) {
      const doubled = sign.length === 1 && (text[end + 1] === sign || text[end - 1] === sign);
      if (!doubled && !/\s/.test(text[end - 1]) && !(sign[0] === "_" && /\w/.test(text[end + sign.length] ?? " "))) return { name, end, length: sign.length };
      end = text.indexOf(sign, end + (doubled ? 2 : 1));
    }
    if (end < 0) missing.add(sign);
  }
  return null;
}

function linkAt(text, at, depth) {
  const middle = text.slice(at, at + 1000).indexOf("](");
  if (middle < 0) return null;
  const label = text.slice(at + 1, at + middle);
  if (label.includes("[")) return null;
  const match = /^\(\s*<?([^\s<>()]{1,2000}(?:\([^\s()]{0,200}\)[^\s<>()]{0,200})?)>?(?:\s+"[^"]{0,300}")?\s*\)/.exec(text.slice(at + middle + 1, at + middle + 2600));
  if (!match) return null;
  const node = anchor(match[1], inline(label, Math.max(depth, 3)));
  return node ? { node, end: at + middle + 1 + match[0].length } : null;
}

// Only addresses of the web become links; anything else stays what was written.
function anchor(address, children) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}
