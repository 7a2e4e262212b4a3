// How often each expert was chosen: a map with a row for each layer and a column for each expert.

import { element } from "./elements.js";

const labelRoom = 26, axisRoom = 16;
const brightest = 8;

/** A map in a place. A large one takes room for its cells and can be scrolled; a small one fits. */
export class ExpertMap {
  #large;
  #counts = null;
  #experts = 0;
  #rows = [];
  #cell = null;
  #canvas = element("canvas", { tabindex: "0", role: "img" });
  #tip = element("div", { class: "tip", role: "status", hidden: true });
  #wrap = element("div", { class: "map" }, this.#canvas, this.#tip);
  #empty = element("p", { class: "fine" }, "When the model answers, this shows which experts its tokens choose.");
  #summary = element("p", { class: "fine summary" });
  #swatches = [0, 1, 2, 3, 4].map((i) => element("i", { class: `heat-${i}` }));
  #legend = element("div", { class: "legend", "aria-hidden": "true" },
    element("span", {}, "share of the layer's mean"),
    element("div", { class: "ramp" }, ...this.#swatches),
    element("div", { class: "ticks" }, ...[0, 1, 2, 4, brightest].map((v) => placed(element("span", {}, v === 0 ? "0" : `${v}×${v === brightest ? "+" : ""}`), 100 * shade(v)))));
  #painted = document.createElement("canvas");

  constructor(place, large) {
    this.#large = large;
    place.append(this.#empty, this.#wrap, this.#legend, this.#summary);
    this.#canvas.addEventListener("pointermove", (e) => this.#point(e));
    this.#canvas.addEventListener("pointerdown", (e) => this.#point(e));
    this.#canvas.addEventListener("pointerleave", () => this.#choose(null));
    this.#canvas.addEventListener("blur", () => this.#choose(null));
    this.#canvas.addEventListener("keydown", (e) => this.#move(e));
    new ResizeObserver(() => this.draw()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.show(null, 0);
  }

  /** Shows counts, layer after layer, or that there are none. */
  show(counts, experts) {
    this.#counts = counts;
    this.#experts = experts;
    const has = Boolean(counts?.length && experts);
    this.#empty.hidden = has;
    for (const part of [this.#wrap, this.#legend, this.#summary]) part.hidden = !has;
    if (!has) return;

    // Dense layers have no experts to choose from, and no row.
    this.#rows = [];
    for (let first = 0; first + experts <= counts.length; first += experts) {
      let sum = 0, most = 0, busiest = 0, unused = 0;
      for (let e = 0; e < experts; e++) {
        const count = counts[first + e];
        sum += count;
        if (count > most) [most, busiest] = [count, e];
        if (count === 0) unused++;
      }
      if (sum > 0) this.#rows.push({ layer: first / experts, first, sum, most, busiest, unused });
    }
    this.#sayAll();
    this.draw();
    if (this.#cell) this.#choose(this.#cell);
  }

  draw() {
    const width = this.#wrap.clientWidth;
    if (!this.#counts || width === 0 || this.#rows.length === 0) return;
    const g = this.#measure(width);
    const scale = devicePixelRatio || 1;
    Object.assign(this.#canvas, { width: Math.round(g.width * scale), height: Math.round(g.height * scale) });
    this.#canvas.style.width = `${g.width}px`;
    this.#canvas.style.height = `${g.height}px`;
    const context = this.#canvas.getContext("2d");
    context.scale(scale, scale);
    this.#paint();
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#painted, labelRoom, 0, g.cellWidth * this.#experts, g.cellHeight * this.#rows.length);
    const style = getComputedStyle(this.#wrap);
    context.fillStyle = style.backgroundColor;
    if (g.cellWidth >= 4) for (let e = 1; e < this.#experts; e++) context.fillRect(labelRoom + e * g.cellWidth - 0.5, 0, 1, g.cellHeight * this.#rows.length);
    if (g.cellHeight >= 4) for (let r = 1; r < this.#rows.length; r++) context.fillRect(labelRoom, r * g.cellHeight - 0.5, g.width, 1);
    this.#label(context, g, style);
    if (this.#cell) {
      context.strokeStyle = style.color;
      context.lineWidth = 1.5;
      context.strokeRect(labelRoom + this.#cell.expert * g.cellWidth - 0.75, this.#cell.row * g.cellHeight - 0.75, g.cellWidth + 1.5, g.cellHeight + 1.5);
    }
  }

  #measure(width) {
    const rows = this.#rows.length;
    const cellWidth = Math.max((width - labelRoom - 2) / this.#experts, this.#large ? 3.5 : 0);
    const cellHeight = this.#large ? Math.min(26, Math.max(9, 560 / rows)) : Math.min(18, Math.max(4, 300 / rows));
    return { cellWidth, cellHeight, width: labelRoom + cellWidth * this.#experts + 2, height: cellHeight * rows + axisRoom };
  }

  #paint() {
    const colours = this.#swatches.map((s) => getComputedStyle(s).backgroundColor.match(/[\d.]+/g).slice(0, 3).map(Number));
    Object.assign(this.#painted, { width: this.#experts, height: this.#rows.length });
    const context = this.#painted.getContext("2d");
    const image = context.createImageData(this.#experts, this.#rows.length);
    let at = 0;
    for (const row of this.#rows) {
      for (let e = 0; e < this.#experts; e++) {
        const place = shade(this.#counts[row.first + e] * this.#experts / row.sum) * (colours.length - 1);
        const i = Math.min(colours.length - 2, Math.floor(place));
        for (let c = 0; c < 3; c++) image.data[at++] = colours[i][c] + (place - i) * (colours[i + 1][c] - colours[i][c]);
        image.data[at++] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  #label(context, g, style) {
    context.fillStyle = style.getPropertyValue("color");
    context.globalAlpha = 0.75;
    context.font = `10px ${style.fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "end";
    const every = [1, 2, 5, 10, 20].find((n) => n * g.cellHeight >= 12) ?? 50;
    this.#rows.forEach((row, r) => {
      if (r === 0 || row.layer % every === 0) context.fillText(String(row.layer), labelRoom - 5, (r + 0.5) * g.cellHeight);
    });
    context.textBaseline = "bottom";
    const columns = [1, 2, 4, 8, 16, 32, 64].find((n) => n * g.cellWidth >= 26) ?? 128;
    for (let e = 0; e < this.#experts; e += columns) {
      context.textAlign = e === 0 ? "start" : "center";
      context.fillText(String(e), labelRoom + (e === 0 ? 0 : (e + 0.5) * g.cellWidth), g.height);
    }
    context.globalAlpha = 1;
  }

  #point(e) {
    const box = this.#canvas.getBoundingClientRect();
    const g = this.#measure(this.#wrap.clientWidth);
    const expert = Math.floor((e.clientX - box.left - labelRoom) / g.cellWidth);
    const row = Math.floor((e.clientY - box.top) / g.cellHeight);
    this.#choose(expert >= 0 && expert < this.#experts && row >= 0 && row < this.#rows.length ? { expert, row } : null);
  }

  #move(e) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (!step || !this.#counts) return;
    e.preventDefault();
    const { expert, row } = this.#cell ?? { expert: -step[0], row: -step[1] };
    this.#choose({
      expert: Math.min(this.#experts - 1, Math.max(0, expert + step[0])),
      row: Math.min(this.#rows.length - 1, Math.max(0, row + step[1])),
    });
  }

  #choose(cell) {
    if (cell && cell.row >= this.#rows.length) cell = null;
    const changed = cell?.expert !== this.#cell?.expert || cell?.row !== this.#cell?.row;
    this.#cell = cell;
    this.#tip.hidden = cell === null;
    if (cell) {
      const row = this.#rows[cell.row];
      const count = this.#counts[row.first + cell.expert];
      this.#tip.replaceChildren(
        element("b", {}, `Layer ${row.layer}, expert ${cell.expert}`), element("br"),
        `chosen ${count.toLocaleString("en")} time${count === 1 ? "" : "s"}, ${(count * this.#experts / row.sum).toFixed(1)}× the mean`);
      const g = this.#measure(this.#wrap.clientWidth);
      const x = labelRoom + (cell.expert + 0.5) * g.cellWidth - this.#wrap.scrollLeft;
      const below = cell.row < this.#rows.length / 2;
      this.#tip.style.top = `${below ? (cell.row + 1) * g.cellHeight + 8 : cell.row * g.cellHeight - 8}px`;
      this.#tip.style.translate = below ? "" : "0 -100%";
      this.#tip.style.left = `${Math.min(Math.max(0, x - 80), Math.max(0, this.#wrap.clientWidth - 190)) + this.#wrap.scrollLeft}px`;
    }
    if (changed) this.draw();
  }

  #sayAll() {
    if (this.#rows.length === 0) return;
    const all = this.#rows.reduce((sum, r) => sum + r.sum, 0);
    const top = this.#rows.reduce((a, b) => b.most / b.sum > a.most / a.sum ? b : a);
    const unused = this.#rows.reduce((sum, r) => sum + r.unused, 0) / (this.#rows.length * this.#experts);
    const text = `${all.toLocaleString("en")} choices in ${this.#rows.length} layers of ${this.#experts} experts. Busiest: layer ${top.layer}, expert ${top.busiest}, `
      + `${(top.most * this.#experts / top.sum).toFixed(1)}× its layer's mean. Never chosen: ${(100 * unused).toFixed(0)}%.`;
    this.#summary.textContent = text;
    this.#canvas.setAttribute("aria-label", `Map of layers (rows) and experts (columns). ${text} Arrow keys read single experts.`);
  }
}

// Where a load, in parts of the layer's mean, lies between dark (0) and bright (1).
function shade(load) {
  return Math.min(1, Math.log2(1 + load) / Math.log2(1 + brightest));
}

function placed(node, percent) {
  node.style.left = `${percent}%`;
  return node;
}
