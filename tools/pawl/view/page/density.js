// Events over time: bars stacked by type. Mouse and keyboard choose a time, zoom, and list events.
import { ask, dateOf, decimalsFor, durationText, find, grouped, make, makeSvg, timeOf, typeClass } from "./tools.js";

const chart = find("chart");
const margin = { left: 46, right: 6, top: 8, bottom: 18 };

let shown = null;      // the answer that is drawn
let range = null;      // [from, until] as BigInts; null: all
let cursor = null;     // the bucket that is pointed at
let anchor = null;     // where a selection began
let asked = 0;
let listEvents = () => {};
let report = () => {};

function redraw() { drawDensity().catch(report); }

export function onChoice(action) { listEvents = action; }

export async function drawDensity() {
  const turn = ++asked;
  const buckets = Math.max(24, Math.min(120, Math.floor((chart.clientWidth - margin.left - margin.right) / 7)));
  const answer = await ask("density", { buckets, from: range?.[0].toString(), until: range?.[1].toString() });
  if (turn !== asked) return;
  shown = answer;
  shown.from = BigInt(answer.from_ns);
  shown.width = BigInt(answer.bucket_ns);
  if (cursor !== null && cursor >= answer.buckets.length) cursor = null;
  draw();
}

export function showsAll() { return range === null; }

function timeAt(bucket) { return shown.from + BigInt(bucket) * shown.width; }

function draw() {
  const width = chart.clientWidth;
  const height = chart.clientHeight;
  const inner = width - margin.left - margin.right;
  const bottom = height - margin.bottom;
  const count = shown.buckets.length;
  const most = Math.max(1, ...shown.buckets.map((each) => each.events));
  const x = (bucket) => margin.left + (inner * bucket) / count;
  const y = (events) => bottom - ((bottom - margin.top) * events) / most;
  const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const part of [0, 0.5, 1]) {
    svg.append(makeSvg("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(most * part), y2: y(most * part) }));
    if (part === 0 || most * part >= 1)
      svg.append(makeSvg("text", { x: margin.left - 6, y: y(most * part) + 4, "text-anchor": "end" }, shortCount(Math.round(most * part))));
  }
  const gap = inner / count > 4 ? 1 : 0;
  shown.buckets.forEach((bucket, index) => {
    let top = y(0);
    bucket.types.forEach((events, type) => {
      if (events === 0) return;
      const size = y(0) - y(events);
      top -= size;
      svg.append(makeSvg("rect", { class: typeClass(shown.types[type].number), x: x(index), y: top, width: Math.max(0.5, inner / count - gap), height: size }));
    });
  });
  if (shown.buckets.some((each) => each.events > 0)) drawTicks(svg, x, inner, height);
  drawCursor(svg, x, bottom);
  chart.replaceChildren(svg);
  find("legend").replaceChildren(...shown.types.map((each) =>
    make("li", {}, make("span", { class: `swatch ${typeClass(each.number)}` }), each.name)));
  const until = timeAt(count);
  find("density-range").textContent = shown.buckets.every((each) => each.events === 0)
    ? "no events" : `${dateOf(shown.from)} ${timeOf(shown.from, decimalsFor(shown.width))} to ${dateOf(until) === dateOf(shown.from) ? "" : dateOf(until) + " "}${timeOf(until, decimalsFor(shown.width))} UTC`
      + (shown.exact ? "" : ", types sampled");
  find("density-out").disabled = range === null;
  find("density-all").disabled = range === null;
  readOut();
}

function drawTicks(svg, x, inner, height) {
  const count = shown.buckets.length;
  const decimals = decimalsFor(shown.width);
  const span = shown.width * BigInt(count);
  const days = span > 3n * 86400000000000n;
  const ticks = Math.max(2, Math.min(8, Math.floor(inner / (days ? 110 : 90 + 9 * decimals))));
  for (let tick = 0; tick < ticks; ++tick) {
    const bucket = Math.round((count * tick) / (ticks - 1));
    const at = timeAt(bucket);
    svg.append(makeSvg("text", { x: x(bucket), y: height - 4, "text-anchor": tick === 0 ? "start" : tick === ticks - 1 ? "end" : "middle" },
      days ? dateOf(at) : timeOf(at, decimals)));
  }
}

function drawCursor(svg, x, bottom) {
  if (cursor === null) return;
  const [first, last] = chosen();
  svg.append(makeSvg("rect", { class: anchor === null ? "cursor" : "selected", x: x(first), y: margin.top, width: x(last + 1) - x(first), height: bottom - margin.top }));
}

// The first and the last bucket that are pointed at.
function chosen() {
  const other = anchor ?? cursor;
  return [Math.min(cursor, other), Math.max(cursor, other)];
}

function readOut() {
  const to = find("density-at");
  to.className = shown.problem && cursor === null ? "problem" : "";
  if (shown.problem && cursor === null) {
    to.textContent = `Not all could be read: ${shown.problem.message}`;
    return;
  }
  if (cursor === null) {
    to.textContent = "";
    return;
  }
  const [first, last] = chosen();
  const events = shown.buckets.slice(first, last + 1).reduce((sum, each) => sum + each.events, 0);
  const decimals = decimalsFor(shown.width);
  to.textContent = `${timeOf(timeAt(first), decimals)} + ${durationText(shown.width * BigInt(last - first + 1))}: ${grouped(events)} events`;
}

function shortCount(events) {
  if (events >= 1e6) return `${+(events / 1e6).toPrecision(3)} M`;
  if (events >= 1e4) return `${+(events / 1e3).toPrecision(3)} k`;
  return grouped(events);
}

function zoomTo(first, last) {
  const from = timeAt(first);
  const until = timeAt(last + 1);
  if (until - from < 240n) return;
  range = [from, until];
  cursor = null;
  anchor = null;
  redraw();
}

function zoomOut() {
  if (range === null) return;
  const half = (range[1] - range[0]) / 2n;
  range = [range[0] > half ? range[0] - half : 0n, range[1] + half];
  ask("live").then((live) => {
    const [first, last] = [BigInt(live.min_ns), BigInt(live.max_ns)];
    if (range !== null && range[0] <= first && range[1] >= last) range = null;
    cursor = null;
    anchor = null;
    return drawDensity();
  }).catch(report);
}

function list() {
  const [first] = chosen();
  listEvents(shown.buckets[first].first);
}

function bucketAt(pointer) {
  const inside = pointer.clientX - chart.getBoundingClientRect().left - margin.left;
  const inner = chart.clientWidth - margin.left - margin.right;
  return Math.max(0, Math.min(shown.buckets.length - 1, Math.floor((inside * shown.buckets.length) / inner)));
}

export function startDensity(onProblem) {
  report = onProblem;
  find("density-out").addEventListener("click", zoomOut);
  find("density-all").addEventListener("click", () => { range = null; cursor = null; redraw(); });
  let dragging = false;
  chart.addEventListener("pointerdown", (pointer) => {
    if (shown === null) return;
    dragging = true;
    chart.setPointerCapture(pointer.pointerId);
    cursor = bucketAt(pointer);
    anchor = cursor;
    draw();
  });
  chart.addEventListener("pointermove", (pointer) => {
    if (shown === null) return;
    cursor = bucketAt(pointer);
    if (!dragging) anchor = null;
    draw();
  });
  chart.addEventListener("pointerup", () => {
    if (!dragging) return;
    dragging = false;
    const [first, last] = chosen();
    anchor = null;
    if (first === last) { draw(); listEvents(shown.buckets[first].first); } else zoomTo(first, last);
  });
  chart.addEventListener("pointerleave", () => {
    if (shown === null || dragging) return;
    cursor = null;
    draw();
  });
  chart.addEventListener("keydown", (key) => {
    if (shown === null) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 };
    if (key.key in steps) {
      const before = cursor ?? 0;
      cursor = Math.max(0, Math.min(shown.buckets.length - 1, cursor === null ? 0 : cursor + steps[key.key]));
      if (!key.shiftKey) anchor = null;
      else anchor ??= before;
    } else if (key.key === "Enter" && cursor !== null) {
      const [first, last] = chosen();
      zoomTo(Math.max(0, first - (first === last ? 2 : 0)), Math.min(shown.buckets.length - 1, last + (first === last ? 2 : 0)));
    } else if (key.key === " " && cursor !== null) {
      list();
    } else if (key.key === "Escape") {
      if (cursor === null) zoomOut();
      cursor = null;
      anchor = null;
    } else {
      return;
    }
    key.preventDefault();
    draw();
  });
  new ResizeObserver(() => { if (shown !== null) redraw(); }).observe(chart);
}
