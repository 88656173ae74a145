// What all parts of the page use. Numbers of 64 bits come as strings and stay strings or BigInts.

export function find(id) { return document.getElementById(id); }

// An element with attributes or properties, and children that are elements or texts.
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}

export function makeSvg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
}

export class Refusal extends Error {}

// An answer of the program; an error has the message that a command would print.
export async function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  let answer;
  try {
    answer = await fetch(`api/${path}${text ? `?${text}` : ""}`);
  } catch {
    throw new Refusal("pawl view has ended, or cannot be reached.");
  }
  if (!answer.headers.get("Content-Type")?.startsWith("application/json"))
    throw new Refusal((await answer.text()).trim() || `HTTP ${answer.status}`);
  const json = await answer.json();
  if (json.error) throw new Refusal(json.error.message);
  return json;
}

// "10,203,097"
export function grouped(digits) { return String(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ","); }

export function bytesText(bytes) {
  let value = Number(bytes);
  for (const unit of ["bytes", "KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1024 || unit === "TiB")
      return `${value < 10 && unit !== "bytes" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return "";
}

export function durationText(nanoseconds) {
  const ns = Number(nanoseconds);
  for (const [unit, size] of [["d", 86400e9], ["h", 3600e9], ["min", 60e9], ["s", 1e9], ["ms", 1e6], ["µs", 1e3]])
    if (ns >= size) return `${(ns / size).toPrecision(3).replace(/\.?0+$/, (end) => end.startsWith(".") ? "" : end)} ${unit}`;
  return `${ns} ns`;
}

// Of nanoseconds since the epoch as a BigInt: date, and time of day with so many decimals.
export function dateOf(ns) { return new Date(Number(ns / 1000000n)).toISOString().slice(0, 10); }
export function timeOf(ns, decimals = 3) {
  const second = ns / 1000000000n;
  const base = new Date(Number(second) * 1000).toISOString().slice(11, 19);
  if (decimals === 0) return base;
  return `${base}.${String(ns % 1000000000n).padStart(9, "0").slice(0, decimals)}`;
}
// How many decimals distinguish times that lie so far apart.
export function decimalsFor(ns) {
  const distance = Number(ns);
  if (distance >= 1e9) return 0;
  return Math.min(9, Math.max(1, Math.ceil(Math.log10(1e9 / Math.max(1, distance)))));
}

export function streamText(stream) { return stream.name ?? (stream.number === "0" ? "–" : stream.number); }

// The colour of a type: by its place among the journal's types; Pawl's own have the last one.
const known = new Map();
export function setTypes(types) { types.forEach((each, index) => known.set(each.number, index % 7)); }
export function typeClass(number) { return `t${known.get(number) ?? 7}`; }

// JSON as elements, indented, without reading its numbers: those above 2^53 would change.
export function prettyJson(text) {
  const out = document.createDocumentFragment();
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+/g) ?? [];
  let depth = 0;
  const line = () => out.append("\n" + "  ".repeat(depth));
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      out.append(token);
      depth += 1;
      if (next !== "}" && next !== "]") line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      if (!["{", "["].includes(tokens[index - 1])) line();
      out.append(token);
    } else if (token === ",") {
      out.append(token);
      line();
    } else if (token === ":") {
      out.append(": ");
    } else {
      const kind = token[0] !== '"' ? (/^-?\d/.test(token) ? "number" : "literal") : next === ":" ? "key" : "string";
      out.append(make("span", { class: `j-${kind}` }, token));
    }
  });
  return out;
}
