// A query box. The program refuses whatever does not only read.
import { ask, find, grouped, make } from "./tools.js";

let showSequence = () => {};
export function onSequence(action) { showSequence = action; }

function cell(value, name) {
  if (value === null) return make("td", { class: "quiet" }, "null");
  if (name === "sequence")
    return make("td", { class: "number" }, make("button", { type: "button", class: "link", onclick: () => showSequence(String(value)) }, String(value)));
  return make("td", { class: typeof value === "number" ? "number" : null, title: String(value).length > 60 ? String(value) : null }, String(value));
}

async function run() {
  const note = find("sql-note");
  const to = find("answer");
  note.textContent = "running…";
  try {
    const answer = await ask("sql", { query: find("query").value });
    const rows = answer.rows.length;
    note.textContent = `${grouped(rows)} ${rows === 1 ? "row" : "rows"}${answer.complete ? "" : ", and more"}, ${answer.milliseconds} ms`;
    to.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...answer.columns.map((name) => make("th", {}, name)))),
      make("tbody", {}, ...answer.rows.map((row) => make("tr", {}, ...row.map((value, index) => cell(value, answer.columns[index])))))));
  } catch (problem) {
    note.textContent = "";
    to.replaceChildren(make("p", { class: "problem" }, problem.message));
  }
}

export function startSql(types, next) {
  const from = BigInt(next) > 20n ? BigInt(next) - 20n : 0n;
  const last = (table, columns) => `select ${columns} from ${table}\nwhere sequence >= ${from}`;
  const examples = [
    ["The last events", last("events", "sequence, time, stream, version, type, event")],
    ["The tables and their columns", 'select s.name as "table", group_concat(c.name, \', \') as columns\nfrom sqlite_schema s, pragma_table_info(s.name) c group by 1'],
    ["Events of each type, among the last 100,000", `select type, count(*) as events, min(time) as first, max(time) as last\nfrom events where sequence >= ${BigInt(next) > 100000n ? BigInt(next) - 100000n : 0n} group by 1 order by 2 desc`],
    ...types.slice(0, 6).map((each) => [`The fields of ${each.name}`, `select * from "${each.name}"\nwhere sequence >= ${from} limit 20`]),
  ];
  const select = find("examples");
  select.replaceChildren(...examples.map(([name], index) => make("option", { value: index }, name)));
  select.addEventListener("change", () => { find("query").value = examples[Number(select.value)][1]; });
  if (find("query").value === "") find("query").value = examples[0][1];
  find("sql-form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
  find("query").addEventListener("keydown", (key) => {
    if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) { key.preventDefault(); run(); }
  });
}
