// The segments as a strip, coloured by what is known of them.
import { ask, bytesText, find, grouped, make } from "./tools.js";

const kinds = {
  unchecked: "sealed", sound: "verified", checking: "being verified", damaged: "damaged",
  missing: "missing", open: "open", prepared: "prepared", torn: "not closed",
};

let timer = null;
let listEvents = () => {};
export function onSegment(action) { listEvents = action; }

function kindOf(segment) { return segment.state === "sealed" || segment.verdict === "damaged" ? segment.verdict : segment.state; }

function describe(segment) {
  const kind = kindOf(segment);
  if (kind === "missing") return `Segment ${segment.ordinal} is missing.`;
  const events = segment.state === "sealed"
    ? `, ${grouped(BigInt(segment.next) - BigInt(segment.first))} events from ${grouped(segment.first)} on, ${segment.end}` : "";
  return `${segment.file}: ${kinds[kind]}${events}, ${bytesText(segment.bytes)}, created ${segment.created.slice(0, 19)}Z`
    + (segment.problem ? `. ${segment.problem.message}` : "");
}

export async function drawSegments(path = "segments") {
  const answer = await ask(path);
  const at = find("segment-at");
  const focused = document.activeElement?.dataset?.ordinal;
  find("strip").replaceChildren(...answer.segments.map((segment) => make("button", {
    type: "button", class: `seg-${kindOf(segment)}`, "data-ordinal": segment.ordinal, "aria-label": describe(segment), title: describe(segment),
    onfocus: () => { at.textContent = describe(segment); },
    onmouseenter: () => { at.textContent = describe(segment); },
    onclick: () => { if (segment.first !== undefined) listEvents(segment.first); },
  })));
  if (focused !== undefined) find("strip").querySelector(`[data-ordinal="${focused}"]`)?.focus();
  const used = [...new Set(answer.segments.map(kindOf))];
  find("segment-legend").replaceChildren(...used.map((kind) =>
    make("li", {}, make("span", { class: `swatch seg-${kind}` }), `${kinds[kind]}: ${answer.segments.filter((each) => kindOf(each) === kind).length}`)));
  find("segments-note").textContent = `${grouped(answer.segments.length)} of ${bytesText(answer.segment_bytes)}`;
  find("check").disabled = answer.checking;
  find("check").textContent = answer.checking ? "Verifying…" : "Verify";
  const bad = answer.segments.find((each) => each.problem) ?? null;
  if (answer.faults.length > 0) at.textContent = answer.faults.map((each) => each.message).join("\n");
  else if (bad !== null && at.textContent === "") at.textContent = describe(bad);
  clearTimeout(timer);
  if (answer.checking) timer = setTimeout(() => drawSegments().catch(() => {}), 300);
}

export function startSegments(report) {
  find("check").addEventListener("click", () => drawSegments("check").catch(report));
  find("strip").addEventListener("keydown", (key) => {
    const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[key.key];
    if (step === undefined) return;
    document.activeElement[step]?.focus();
    key.preventDefault();
  });
}
