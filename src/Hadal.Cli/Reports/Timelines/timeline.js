// The timeline of a pipeline's step, drawn to scale on a canvas: one lane a rank, operations above, kept activations below.

"use strict";
(() => {
  const data = JSON.parse(document.getElementById("timeline").textContent);
  const canvas = document.getElementById("lanes"), overview = document.getElementById("overview"), details = document.getElementById("details");
  const lanes = data.lanes, duration = data.duration || 1;
  const label = Math.min(150, 22 + 7.2 * Math.max(...lanes.map((l) => l.name.length)));
  const axis = 26, pad = 8;
  const [bar, memory, gap] = lanes.length <= 16 ? [28, 20, 9] : lanes.length <= 40 ? [20, 12, 6] : lanes.length <= 100 ? [12, 6, 3] : [5, 0, 1];
  const peak = Math.max(1, ...lanes.flatMap((l) => l.memory.map((p) => p[1] + p[2])));
  const least = duration / 20000;
  let from = 0, to = duration, chosen = null, critical = false, colors = {}, queued = false;

  // Each lane's spans are in the order of their starts.
  const laneHeight = (l) => bar + (l.operations ? memory : 0) + gap;
  const tops = [];
  lanes.reduce((y, l) => (tops.push(y), y + laneHeight(l)), axis + 4);
  const height = tops.at(-1) + laneHeight(lanes.at(-1)) + 4;
  canvas.style.height = `${height}px`;

  function seconds(t) {
    if (data.unit === "") return `${+t.toPrecision(6)}`;
    const [value, unit] = t === 0 ? [0, "s"] : Math.abs(t) < 1e-3 ? [t * 1e6, "µs"] : Math.abs(t) < 1 ? [t * 1e3, "ms"] : [t, "s"];
    return `${+value.toPrecision(4)} ${unit}`;
  }

  function readColors() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["card", "ink", "soft", "muted", "grid", "axis", "edge", "main", "forward-0", "forward-1", "backward-0", "backward-1", "inputs-0", "inputs-1", "weights", "other", "on-dark",
      "on-light", "bubble", "bubble-line", "memory", "memory-deferred"]) colors[name] = style.getPropertyValue(`--${name}`).trim();
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = colors.bubble;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = colors["bubble-line"];
    pen.lineWidth = 1;
    for (const x of [-8, 0, 8]) {
      pen.beginPath();
      pen.moveTo(x, 8);
      pen.lineTo(x + 8, 0);
      pen.stroke();
    }
    colors.hatch = canvas.getContext("2d").createPattern(tile, "repeat");
  }

  const colorOf = (kind, direction) => kind === "W" ? colors.weights : kind === "" ? colors.other : colors[`${{ F: "forward", B: "backward", Bi: "inputs" }[kind]}-${direction}`];
  const inkOn = (kind, direction) => kind !== "W" && kind !== "" && direction === 1 ? colors["on-light"] : colors["on-dark"];

  // In DualPipeV the two directions are two passes of the same micro-batch.
  const batchOf = (direction, batch) => data.folded ? `${batch}` : `${direction}.${batch}`;
  const batches = (s) => s.kind === "" ? [] : s.kind === "FB" ? [batchOf(s.d, s.m), batchOf(s.e, s.k)] : [batchOf(s.d, s.m)];

  /** Prepares a canvas for drawing in CSS pixels. */
  function begin(target) {
    const ratio = window.devicePixelRatio || 1, width = target.clientWidth, tall = target.clientHeight;
    if (target.width !== Math.round(width * ratio) || target.height !== Math.round(tall * ratio)) {
      target.width = Math.round(width * ratio);
      target.height = Math.round(tall * ratio);
    }
    const pen = target.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, tall);
    return [pen, width, tall];
  }

  /** Index of the first span that ends after a moment. */
  function firstAfter(spans, time) {
    let low = 0, high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle].end <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function drawSpan(pen, s, x, y, wide, tall, dim, labelled) {
    pen.globalAlpha = dim ? 0.22 : 1;
    const parts = s.kind === "FB" ? [["F", s.d, s.m, y, tall / 2], ["B", s.e, s.k, y + tall / 2, tall / 2]] : [[s.kind, s.d, s.m, y, tall]];
    for (const [kind, direction, batch, top, part] of parts) {
      pen.fillStyle = colorOf(kind, direction);
      pen.fillRect(x, top, Math.max(wide - (wide > 3 ? 1 : 0), 0.5), part);
      if (!labelled || part < 9) continue;
      const size = Math.min(12, part - 1), short = kind === "" ? s.name : `${batch}`, long = kind === "" ? s.name : `${kind} ${batch}`;
      pen.font = `600 ${size}px system-ui, sans-serif`;
      const text = wide > pen.measureText(long).width + 10 ? long : wide > pen.measureText(short).width + 4 ? short : "";
      if (text === "") continue;
      pen.fillStyle = inkOn(kind, direction);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(text, x + wide / 2, top + part / 2 + 0.5);
    }
    pen.globalAlpha = 1;
  }

  function drawAxis(pen, width, scale) {
    const rough = (to - from) / Math.max(2, (width - label) / 110), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (let i = Math.ceil(from / step); i * step <= to; i++) {
      const x = Math.round(label + (i * step - from) * scale) + 0.5;
      pen.strokeStyle = colors.grid;
      pen.beginPath();
      pen.moveTo(x, axis - 4);
      pen.lineTo(x, height);
      pen.stroke();
      pen.fillStyle = colors.muted;
      pen.textAlign = x < label + 12 ? "left" : "center";
      if (x < width - 20) pen.fillText(seconds(i * step), x, axis / 2);
    }
  }

  function drawMemory(pen, lane, y, scale, width) {
    const points = lane.memory;
    const at = (t) => label + (Math.min(Math.max(t, from), to) - from) * scale;
    for (const [color, part] of [["memory", (p) => p[1]], ["memory-deferred", (p) => p[1] + p[2]]].reverse()) {
      pen.fillStyle = colors[color];
      for (let i = 0; i < points.length; i++) {
        const end = i + 1 < points.length ? points[i + 1][0] : duration;
        if (end < from || points[i][0] > to) continue;
        const tall = part(points[i]) / peak * (memory - 3), x = at(points[i][0]);
        pen.fillRect(x, y + memory - tall, Math.max(at(end) - x, 0.5), tall);
      }
    }
    pen.strokeStyle = colors.edge;
    pen.beginPath();
    pen.moveTo(label, y + memory + 0.5);
    pen.lineTo(width, y + memory + 0.5);
    pen.stroke();
  }

  function draw() {
    queued = false;
    const [pen, width] = begin(canvas), scale = (width - label - pad) / (to - from);
    drawAxis(pen, width - pad, scale);
    const lit = chosen ? batches(chosen.span) : [];
    pen.save();
    pen.beginPath();
    pen.rect(label, 0, width - label - pad, height);
    pen.clip();
    lanes.forEach((lane, l) => {
      const y = tops[l];
      if (lane.operations) {
        pen.fillStyle = colors.hatch;
        pen.fillRect(label - from * scale, y, duration * scale, bar);
        if (memory > 0) drawMemory(pen, lane, y + bar, scale, width - pad);
      }
      for (let i = firstAfter(lane.spans, from); i < lane.spans.length && lane.spans[i].start < to; i++) {
        const s = lane.spans[i], dim = lit.length > 0 ? !batches(s).some((b) => lit.includes(b)) : critical && !s.critical;
        drawSpan(pen, s, label + (s.start - from) * scale, y, (s.end - s.start) * scale, bar, dim, true);
      }
    });
    if (chosen) {
      const s = chosen.span;
      pen.strokeStyle = colors.ink;
      pen.lineWidth = 2;
      pen.strokeRect(label + (s.start - from) * scale - 1, tops[chosen.lane] - 1, Math.max((s.end - s.start) * scale, 2) + 1, bar + 2);
    }
    pen.restore();
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.font = `${Math.min(13, bar + 1)}px system-ui, sans-serif`;
    lanes.forEach((lane, l) => {
      pen.fillStyle = chosen && chosen.lane === l ? colors.ink : colors.soft;
      if (bar >= 9 || l % 8 === 0) pen.fillText(lane.name, 4, tops[l] + bar / 2);
    });
    canvas.dataset.from = from;
    canvas.dataset.to = to;
    drawOverview();
  }

  function drawOverview() {
    const [pen, width, tall] = begin(overview), scale = (width - label - pad) / duration, each = (tall - 4) / lanes.length;
    lanes.forEach((lane, l) => {
      for (const s of lane.spans) drawSpan(pen, s, label + s.start * scale, 2 + l * each, (s.end - s.start) * scale, Math.max(each - 0.5, 0.5), false, false);
    });
    pen.fillStyle = colors.card;
    pen.globalAlpha = 0.72;
    pen.fillRect(0, 0, label + from * scale, tall);
    pen.fillRect(label + to * scale, 0, width, tall);
    pen.globalAlpha = 1;
    pen.strokeStyle = colors.main;
    pen.lineWidth = 1.5;
    pen.strokeRect(label + from * scale, 1, (to - from) * scale, tall - 2);
  }

  function redraw() {
    if (!queued) requestAnimationFrame(draw);
    queued = true;
  }

  function show(start, end) {
    const length = Math.min(Math.max(end - start, least), duration);
    from = Math.min(Math.max(start, 0), duration - length);
    to = from + length;
    redraw();
  }

  function zoom(factor, center = (from + to) / 2) {
    const length = Math.min(Math.max((to - from) * factor, least), duration), share = (center - from) / (to - from);
    show(center - share * length, center + (1 - share) * length);
  }

  const timeAt = (x) => from + (x - label) / (canvas.clientWidth - label - pad) * (to - from);

  function spanAt(x, y) {
    const lane = tops.findLastIndex((top) => y >= top);
    if (lane < 0 || x < label) return null;
    const time = timeAt(x), spans = lanes[lane].spans, i = firstAfter(spans, time);
    return i < spans.length && spans[i].start <= time ? { lane, index: i, span: spans[i] } : null;
  }

  const line = (text, name = "span") => Object.assign(document.createElement(name), { textContent: text });
  const chunk = (d, m, lane) => {
    const where = lane.stages.length > 0 ? `, stage ${lane.stages[d]}` : "";
    return data.directions < 2 ? `micro-batch ${m}${where}` : `micro-batch ${m} of ${data.folded ? "pass" : "direction"} ${d}${where}`;
  };

  function describe({ lane: l, index, span: s }) {
    const lane = lanes[l], before = index > 0 ? lane.spans[index - 1].end : 0, waited = s.start - before;
    const held = lane.memory.findLast((p) => p[0] <= s.start);
    const kinds = { F: "Forward", B: "Whole backward", Bi: "Backward for inputs", W: "Weight gradient", FB: "Forward overlapped with backward", "": s.name };
    const lines = [line(kinds[s.kind], "b")];
    if (s.kind === "FB") lines.push(line(`forward of ${chunk(s.d, s.m, lane)}`), line(`backward of ${chunk(s.e, s.k, lane)}`));
    else if (s.kind !== "") lines.push(line(chunk(s.d, s.m, lane)));
    lines.push(line(`${lane.name}: ${seconds(s.start)} to ${seconds(s.end)}, takes ${seconds(s.end - s.start)}`));
    if (lane.operations && waited > duration * 1e-9) lines.push(line(`waited ${seconds(waited)} before it`));
    if (s.critical) lines.push(line("on the critical path"));
    if (held && s.kind !== "") {
      const bytes = data.chunkBytes > 0 ? `, ${((held[1] * data.chunkBytes + held[2] * data.deferredBytes) / 1e9).toFixed(1)} GB` : "";
      lines.push(line(`holds activations of ${held[1]} ${held[1] === 1 ? "chunk" : "chunks"}${held[2] > 0 ? ` and ${held[2]} for weight gradients` : ""}${bytes}`));
    }
    details.replaceChildren(...lines);
  }

  /** Chooses a span, or none; a place in the canvas is where its details stand. */
  function choose(found, x, y) {
    const same = found && chosen && found.span === chosen.span;
    chosen = found;
    details.hidden = !found;
    if (found) {
      if (!same) describe(found);
      const room = canvas.parentElement.clientWidth, right = x + 18 + details.offsetWidth < room;
      details.style.left = `${Math.max(0, right ? x + 18 : x - details.offsetWidth - 18)}px`;
      details.style.top = `${y + 18}px`;
    }
    if (!same) redraw();
  }

  function chooseByKey(lane, index) {
    const l = Math.min(Math.max(lane, 0), lanes.length - 1), i = Math.min(Math.max(index, 0), lanes[l].spans.length - 1), span = lanes[l].spans[i];
    if (span.start < from || span.end > to) show((span.start + span.end - to + from) / 2, (span.start + span.end + to - from) / 2);
    const scale = (canvas.clientWidth - label - pad) / (to - from);
    choose({ lane: l, index: i, span }, label + (span.start - from) * scale, tops[l] + bar);
  }

  function step(lane, forward) {
    if (!chosen) return chooseByKey(0, firstAfter(lanes[0].spans, from));
    if (lane === 0) return chooseByKey(chosen.lane, chosen.index + forward);
    const next = Math.min(Math.max(chosen.lane + lane, 0), lanes.length - 1);
    return chooseByKey(next, firstAfter(lanes[next].spans, chosen.span.start));
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (e) => {
    drag = { x: e.clientX, from, to };
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    if (drag && Math.abs(e.clientX - drag.x) > 3) {
      canvas.classList.add("dragging");
      const moved = (e.clientX - drag.x) / (canvas.clientWidth - label - pad) * (drag.to - drag.from);
      choose(null);
      show(drag.from - moved, drag.to - moved);
      return;
    }
    choose(spanAt(e.offsetX, e.offsetY), e.offsetX, e.offsetY);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => {
    drag = null;
    canvas.classList.remove("dragging");
  });
  canvas.addEventListener("pointerleave", () => choose(null));
  canvas.addEventListener("dblclick", (e) => zoom(0.4, timeAt(e.offsetX)));

  // The wheel scrolls the page until the timeline has been clicked, or with Ctrl.
  canvas.addEventListener("wheel", (e) => {
    const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey;
    if (!sideways && !e.ctrlKey && document.activeElement !== canvas) return;
    e.preventDefault();
    const pixels = (e.deltaY || e.deltaX) * (e.deltaMode === 1 ? 16 : 1);
    if (sideways) {
      const moved = (e.deltaX || e.deltaY) / canvas.clientWidth * (to - from);
      show(from + moved, to + moved);
    } else zoom(Math.exp(pixels / 400), timeAt(e.offsetX));
  }, { passive: false });

  const criticalButton = document.getElementById("critical");
  criticalButton?.addEventListener("click", () => {
    critical = !critical;
    criticalButton.setAttribute("aria-pressed", `${critical}`);
    redraw();
  });

  const keys = {
    ArrowLeft: () => show(from - (to - from) / 8, to - (to - from) / 8),
    ArrowRight: () => show(from + (to - from) / 8, to + (to - from) / 8),
    ArrowUp: () => step(-1, 0),
    ArrowDown: () => step(1, 0),
    ",": () => step(0, -1),
    ".": () => step(0, 1),
    "+": () => zoom(0.6),
    "=": () => zoom(0.6),
    "-": () => zoom(1 / 0.6),
    0: () => show(0, duration),
    Home: () => show(0, to - from),
    End: () => show(duration - (to - from), duration),
    Escape: () => choose(null),
  };
  canvas.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  });

  const aim = (e) => {
    const time = (e.offsetX - label) / (overview.clientWidth - label - pad) * duration, half = (to - from) / 2;
    show(time - half, time + half);
  };
  overview.addEventListener("pointerdown", (e) => {
    overview.setPointerCapture(e.pointerId);
    aim(e);
  });
  overview.addEventListener("pointermove", (e) => {
    if (e.buttons > 0) aim(e);
  });
  for (const [id, act] of [["closer", () => zoom(0.6)], ["wider", () => zoom(1 / 0.6)], ["all", () => show(0, duration)]]) document.getElementById(id).addEventListener("click", act);
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColors();
    redraw();
  });
  readColors();
  draw();
})();
