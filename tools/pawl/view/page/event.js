// One event: as JSON and as bytes, side by side, and each field of its frame explained.
import { ask, find, grouped, make, prettyJson, streamText, typeClass } from "./tools.js";

let shown = null;
let wanted = null;
let findBy = () => {};
let onShow = () => {};
export function onEvent(actions) { findBy = actions.find; onShow = actions.show; }
export function shownSequence() { return wanted; }
export function shownEvent() { return shown; }

export async function showEvent(sequence) {
  wanted = sequence;
  onShow(sequence);
  let answer;
  try {
    answer = await ask("event", { sequence });
  } catch (problem) {
    if (wanted !== sequence) return;
    shown = null;
    find("event-title").textContent = `Event ${grouped(sequence)}`;
    find("event-body").replaceChildren(make("p", { class: "problem" }, problem.message));
    return;
  }
  if (wanted !== sequence) return;
  shown = answer;
  draw();
}

function draw() {
  find("event-title").textContent = `Event ${grouped(shown.sequence)}`;
  const body = find("event-body");
  body.className = "";
  const hex = makeHex();
  body.replaceChildren(makeFacts(),
    make("div", { class: "sides" },
      make("div", { class: "side" }, make("h3", {}, shown.json === null ? "Payload" : "JSON"), makeText()),
      make("div", { class: "side" }, make("h3", {}, `Frame, ${grouped(shown.bytes)} bytes`), hex, ...makeMetadata())),
    make("h3", {}, "Fields of the frame"),
    make("div", { class: "table-frame" }, makeFields(hex)));
}

function makeFacts() {
  const facts = make("p", { class: "facts" },
    make("span", {}, make("span", { class: `swatch ${typeClass(shown.type_number)}` }), make("b", {}, shown.type), ` version ${shown.schema_version}`),
    make("span", { class: "mono" }, shown.time.replace("T", " ")));
  if (shown.stream.number !== "0")
    facts.append(make("span", {}, "stream ", make("b", {}, streamText(shown.stream)), ` @ ${grouped(shown.version)} `,
      make("button", { type: "button", class: "link", title: "All events of the stream (h)", onclick: () => findBy({ stream: shown.stream.number }) }, "history")));
  for (const tag of shown.tags)
    facts.append(make("span", {}, "tag ", make("button", { type: "button", class: "link", title: "All events with this tag", onclick: () => findBy({ tag: tag.number }) }, streamText(tag))));
  facts.append(make("span", { class: "quiet" }, `${shown.segment} at byte ${grouped(shown.offset)}`));
  if (shown.more_in_batch) facts.append(make("span", { class: "quiet" }, "more of its batch follow"));
  return facts;
}

function makeText() {
  if (shown.json !== null) return make("pre", { class: "json", tabindex: "0" }, prettyJson(shown.json));
  return make("p", { class: "quiet" }, `Shown as bytes only: ${shown.problem}`);
}

function makeMetadata() {
  if (shown.metadata === null) return [];
  return [make("h3", {}, "Metadata"), make("pre", { class: "json", tabindex: "0" }, prettyJson(shown.metadata))];
}

function makeHex() {
  const columns = matchMedia("(max-width: 620px)").matches ? 8 : 16;
  const most = 4096;
  const bytes = (shown.hex.match(/../g) ?? []).slice(0, most);
  const fieldOf = [];
  shown.fields.forEach((field, index) => { for (let i = 0; i < field.bytes; ++i) fieldOf[field.at + i] = index; });
  const hex = make("pre", { class: "hex", tabindex: "0" });
  for (let line = 0; line < bytes.length; line += columns) {
    hex.append(make("span", { class: "offset" }, line.toString(16).padStart(4, "0")));
    let letters = "";
    for (let i = 0; i < columns; ++i) {
      const byte = bytes[line + i];
      const space = i % 8 === 0 ? "  " : " ";
      if (byte === undefined) { hex.append(`${space}  `); continue; }
      const field = fieldOf[line + i];
      hex.append(space, make("span", { "data-field": field, class: field % 2 === 1 ? "odd" : null }, byte));
      const code = parseInt(byte, 16);
      letters += code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
    }
    hex.append(`  ${letters}\n`);
  }
  if (shown.bytes > bytes.length) hex.append(make("span", { class: "offset" }, `… ${grouped(shown.bytes - bytes.length)} bytes more`));
  return hex;
}

function makeFields(hex) {
  const body = make("tbody");
  const light = (index, on) => {
    for (const byte of hex.querySelectorAll(`[data-field="${index}"]`)) byte.classList.toggle("lit", on);
    body.rows[index]?.classList.toggle("lit", on);
  };
  shown.fields.forEach((field, index) => {
    const on = () => light(index, true);
    const off = () => light(index, false);
    body.append(make("tr", { tabindex: "0", onmouseenter: on, onmouseleave: off, onfocus: on, onblur: off },
      make("td", { class: "place" }, `${field.at}+${field.bytes}`),
      make("td", { class: "name" }, field.name),
      make("td", { class: "value" }, field.value),
      make("td", { class: "meaning" }, field.meaning)));
  });
  hex.addEventListener("mouseover", (over) => { const field = over.target.dataset?.field; if (field !== undefined) light(Number(field), true); });
  hex.addEventListener("mouseout", (over) => { const field = over.target.dataset?.field; if (field !== undefined) light(Number(field), false); });
  return make("table", { class: "fields" },
    make("thead", {}, make("tr", {}, make("th", {}, "Byte"), make("th", {}, "Field"), make("th", {}, "Value"), make("th", { class: "meaning" }, "Meaning"))), body);
}
