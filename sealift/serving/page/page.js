"use strict";

const MOST_BARS = 12;
const MOST_CONTROLS = 60;
const KEY = "key of " + location.pathname;
const NUMBERS = new Set(["FP16", "FP32", "FP64"]);

const at = (id) => document.getElementById(id);
const latencies = [];
let about = null;
let inputs = [];
let asking = 0;
let answered = null;

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function shown(number) {
  if (!Number.isFinite(number)) return String(number);
  return String(Number(number.toPrecision(5)));
}

// ---- requests to the server

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers["X-API-Key"] = key;
  let response;
  try {
    response = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body, cache: "no-store" });
  } catch {
    throw new Refused(0, "The server cannot be reached. Is it still running?");
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let message = text;
  try {
    message = JSON.parse(text).error;
  } catch { /* a message from another server or proxy: shown as it is */ }
  throw new Refused(response.status, message || `The server refused this with status ${response.status}.`);
}

async function start() {
  let found;
  try {
    found = await ask("about");
  } catch (refused) {
    if (refused.status !== 401 && refused.status !== 403) {
      at("summary").textContent = refused.message;
      return;
    }
    askForKey(refused);
    return;
  }
  about = found;
  at("key-form").hidden = true;
  introduce();
  makeForm();
  for (const id of ["columns", "programs", "origin"]) at(id).hidden = false;
  if (inputs.every((input) => input.ready)) predict();
}

function askForKey(refused) {
  at("title").textContent = "This model needs a key";
  at("summary").textContent = "";
  if (sessionStorage.getItem(KEY)) at("key-reason").textContent = `This key was not accepted: ${refused.message}.`;
  sessionStorage.removeItem(KEY);
  at("key-form").hidden = false;
  at("columns").hidden = true;
  at("key").focus();
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  start();
});

// ---- the description of the model

function introduce() {
  document.title = about.name;
  at("title").textContent = about.name;
  const classes = about.classes.length;
  const what = classes ? `predicts which of ${classes} classes a row belongs to` : "predicts a number";
  at("summary").textContent = `This model ${about.task ? what : "answers requests"}. Change a value and see the prediction change.`;
  const facts = {
    Artifact: about.artifactId, "Payload (SHA-256)": about.payloadDigest, Server: about.server,
    Inputs: about.inputs.map(spelt).join("; "), Outputs: about.outputs.map(spelt).join("; "),
  };
  at("facts").replaceChildren();
  for (const [name, value] of Object.entries(facts)) {
    if (value) at("facts").append(made("dt", { textContent: name }), made("dd", { textContent: value }));
  }
}

function spelt(tensor) {
  return `${tensor.name} (${tensor.datatype}${tensor.shape ? `, ${tensor.shape.join(" × ")}` : ""})`;
}

// ---- the form: each input has read() → its values for one row, and reset()

function makeForm() {
  const place = at("inputs");
  place.replaceChildren();
  const single = about.inputs.length > 1 && about.inputs.every((input) => input.fields.length === 1);
  const shared = single ? made("div", { className: "fields" }) : null;
  if (shared) place.append(shared);
  inputs = about.inputs.map((input, index) => {
    const control = controlOf(input, `input-${index}`, shared !== null);
    (shared || place).append(control.element);
    return Object.assign(control, { input });
  });
}

function controlOf(input, id, single) {
  const count = input.shape.reduce((product, size) => product * size, 1);
  const side = sideOf(input, count);
  if (side) return padOf(input, id, side);
  const few = count <= MOST_CONTROLS && input.fields.length === count && (single || input.fields[0].name);
  return few ? fieldsOf(input, id, single) : listOf(input, id, count);
}

function sideOf(input, count) {
  const side = { 64: 8, 784: 28 }[count];
  if (!side || !NUMBERS.has(input.datatype)) return 0;
  const rest = input.shape.slice(1).filter((size) => size !== 1);
  const square = rest.length === 2 && rest[0] === side && rest[1] === side;
  return square || rest.length === 1 && isPicture(input) ? side : 0;
}

// 64 columns may be anything: they are a picture if their names differ only by a number.
function isPicture(input) {
  const words = new Set(input.fields.map((field) => field.name.replace(/\d+/g, "")));
  return words.size === 1;
}

function fieldsOf(input, id, single) {
  const controls = input.fields.map((field, index) => fieldOf(field, input, `${id}-${index}`));
  const element = single
    ? controls[0].element
    : made("fieldset", {}, made("div", { className: "fields" }, ...controls.map((control) => control.element)));
  const filled = controls.every((control) => control.filled);
  const reset = () => controls.forEach((control) => control.reset());
  return { element, ready: filled, read: () => controls.map((control) => control.read()), reset };
}

function fieldOf(field, input, id) {
  const name = field.name || input.name;
  const text = input.datatype === "BYTES";
  let control;
  if (input.datatype === "BOOL") {
    control = made("select", { id }, made("option", { value: "false", textContent: "no" }), made("option", { value: "true", textContent: "yes" }));
  } else if (field.choices.length) {
    control = made("select", { id }, ...field.choices.map((choice) => made("option", { value: String(choice), textContent: String(choice) })));
  } else {
    control = made("input", { id, type: "text", inputMode: text ? "text" : "decimal", autocomplete: "off", spellcheck: false });
  }
  const reset = () => {
    control.value = input.datatype === "BOOL" ? "false" : String(field.usual);
    control.removeAttribute("aria-invalid");
  };
  reset();
  const element = made("div", {}, made("label", { htmlFor: id, textContent: name }), control);
  if (field.lowest !== null) {
    element.append(made("p", { id: `${id}-hint`, className: "hint", textContent: `from ${shown(field.lowest)} to ${shown(field.highest)}` }));
    control.setAttribute("aria-describedby", `${id}-hint`);
  }
  return { element, reset, filled: true, read: () => checked(control, name, input.datatype, control.value) };
}

function listOf(input, id, count) {
  const area = made("textarea", { id, spellcheck: false });
  const usual = (index) => (input.fields[index] || input.fields[0]).usual;
  const separator = input.datatype === "BYTES" ? "\n" : /[\s,;]+/;
  const reset = () => {
    area.value = Array.from({ length: count }, (_, index) => usual(index)).join(input.datatype === "BYTES" ? "\n" : ", ");
    area.removeAttribute("aria-invalid");
  };
  reset();
  const what = input.datatype === "BYTES" ? "texts, one per line" : "numbers, separated by commas or spaces";
  const hint = made("p", { id: `${id}-hint`, className: "hint", textContent: `${count} ${what}` });
  area.setAttribute("aria-describedby", hint.id);
  const read = () => {
    const parts = input.datatype === "BYTES" ? area.value.split(separator) : area.value.trim().split(separator);
    if (parts.length !== count) throw invalid(area, `${input.name} needs ${count} values, but has ${parts.length}.`);
    return parts.map((part) => checked(area, input.name, input.datatype, part));
  };
  return { element: made("div", {}, made("label", { htmlFor: id, textContent: input.name }), area, hint), reset, ready: true, read };
}

class Invalid extends Error {}

function invalid(control, message) {
  control.setAttribute("aria-invalid", "true");
  control.focus();
  return new Invalid(message);
}

function checked(control, name, datatype, text) {
  control.removeAttribute("aria-invalid");
  if (datatype === "BYTES") return text;
  if (datatype === "BOOL") return text === "true";
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(value)) throw invalid(control, `${name} must be a number, but is “${text}”.`);
  if (!NUMBERS.has(datatype) && !Number.isSafeInteger(value)) throw invalid(control, `${name} must be a whole number, but is “${text}”.`);
  return value;
}

// ---- a drawing pad: strokes on a fine canvas; each pixel of the model's picture is the mean of its part

function padOf(input, id, side) {
  const fine = 16, size = side * fine;
  const drawing = made("canvas", { id, className: "drawing", width: size, height: size, tabIndex: 0 });
  const seen = made("canvas", { className: "seen", width: side, height: side });
  drawing.setAttribute("role", "application");
  drawing.setAttribute("aria-label", `Drawing pad, ${side} by ${side}. Arrow keys move, space draws, delete clears.`);
  seen.setAttribute("role", "img");
  seen.setAttribute("aria-label", "The picture that the model receives");
  const ink = drawing.getContext("2d", { willReadFrequently: true });
  let cursor = [Math.floor(side / 2), Math.floor(side / 2)], last = null;

  const whitest = Math.max(...input.fields.map((field) => field.highest ?? 1));
  const blackest = Math.min(...input.fields.map((field) => field.lowest ?? 0));
  const shares = () => {
    const pixels = ink.getImageData(0, 0, size, size).data;
    const sums = new Float64Array(side * side);
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        sums[Math.floor(y / fine) * side + Math.floor(x / fine)] += pixels[4 * (y * size + x)];
      }
    }
    return Array.from(sums, (sum) => sum / (255 * fine * fine));
  };
  const read = () => shares().map((share) => Number((blackest + share * (whitest - blackest)).toPrecision(4)));
  const preview = () => {
    const picture = seen.getContext("2d"), image = picture.createImageData(side, side);
    shares().forEach((share, index) => image.data.set([255 * share, 255 * share, 255 * share, 255], 4 * index));
    picture.putImageData(image, 0, 0);
  };
  const reset = () => {
    ink.fillStyle = "#000";
    ink.fillRect(0, 0, size, size);
    preview();
  };
  const stroke = (from, to) => {
    Object.assign(ink, { strokeStyle: "#fff", lineWidth: fine * (side > 8 ? 2.2 : 1.3), lineCap: "round", lineJoin: "round" });
    ink.beginPath();
    ink.moveTo(...from);
    ink.lineTo(...to);
    ink.stroke();
    preview();
  };
  const place = (event) => {
    const box = drawing.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * size, (event.clientY - box.top) / box.height * size];
  };
  drawing.addEventListener("pointerdown", (event) => {
    drawing.setPointerCapture(event.pointerId);
    last = place(event);
    stroke(last, last);
  });
  drawing.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    stroke(last, next);
    last = next;
  });
  for (const name of ["pointerup", "pointercancel"]) {
    drawing.addEventListener(name, () => {
      if (last) predict();
      last = null;
    });
  }
  drawing.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const middle = () => cursor.map((one) => (one + 0.5) * fine);
    if (moves[event.key]) {
      cursor = cursor.map((one, axis) => Math.min(side - 1, Math.max(0, one + moves[event.key][axis])));
      drawing.setAttribute("aria-description", `column ${cursor[0] + 1}, line ${cursor[1] + 1}`);
    } else if (event.key === " ") {
      stroke(middle(), middle());
      predict();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      reset();
    } else {
      return;
    }
    event.preventDefault();
  });
  reset();
  at("row-title").textContent = "Draw here what the model should recognise";
  const element = made("div", { className: "pad" },
    made("figure", {}, drawing, made("figcaption", { textContent: "Your drawing (mouse, finger, or arrow keys and space)" })),
    made("figure", {}, seen, made("figcaption", { textContent: "What the model sees" })));
  return { element, ready: false, read, reset };
}

// ---- one prediction

function bodyOf() {
  return { inputs: inputs.map(({ input, read }) => ({ name: input.name, shape: input.shape, datatype: input.datatype, data: read() })) };
}

async function predict() {
  const mine = ++asking;
  at("problem").hidden = true;
  at("why").hidden = true;
  at("reasons").replaceChildren();
  try {
    const body = JSON.stringify(bodyOf());
    tellPrograms(body);
    const began = performance.now();
    const answer = await ask(`v2/models/${encodeURIComponent(about.name)}/infer`, body);
    const took = performance.now() - began;
    if (mine !== asking) return;
    draw(answer.outputs);
    tellLatency(took);
    answered = body;
    at("why").hidden = !about.explains;
  } catch (problem) {
    if (mine === asking) tellProblem(problem);
  }
}

function tellProblem(problem) {
  if (problem.status === 401) {
    askForKey(problem);
    return;
  }
  if (!(problem instanceof Invalid || problem instanceof Refused)) throw problem;
  at("problem").textContent = problem.message;
  at("problem").hidden = false;
}

function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (lower + upper) / 2;
}

function tellLatency(took) {
  latencies.push(took);
  const middle = `${shown(Math.round(median(latencies) * 10) / 10)} ms`;
  const times = latencies.length > 1 ? `; median of ${latencies.length}: ${middle}` : "";
  at("latency").textContent = `Answered in ${shown(Math.round(took * 10) / 10)} ms, including the network${times}.`;
}

function draw(outputs) {
  at("answer").replaceChildren(...outputs.map((output) => {
    const labels = output.data.length === about.classes.length ? about.classes : null;
    if (output.datatype === "BYTES" || output.datatype === "BOOL") return made("p", { className: "number", textContent: output.data.join(", ") });
    if (output.data.length === 1) {
      const name = made("p", { className: "hint", textContent: output.name });
      return made("div", {}, made("p", { className: "number", textContent: shown(output.data[0]) }), name);
    }
    return bars(output.data, labels);
  }));
}

function bars(values, labels) {
  const best = values.indexOf(Math.max(...values));
  const order = values.map((_, index) => index);
  if (order.length > MOST_BARS) order.sort((one, other) => values[other] - values[one]);
  const percent = labels !== null && about.task === "classification";
  const largest = percent ? 1 : Math.max(...values.map(Math.abs)) || 1;
  const body = made("tbody");
  for (const index of order.slice(0, MOST_BARS)) {
    const bar = made("div");
    bar.style.width = `${100 * Math.abs(values[index]) / largest}%`;
    const value = percent ? `${(100 * values[index]).toFixed(1)} %` : shown(values[index]);
    body.append(made("tr", { className: index === best ? "best" : "" },
      made("th", { scope: "row", textContent: labels ? labels[index] : String(index) }),
      made("td", {}, made("div", { className: "track" }, bar)),
      made("td", { textContent: value })));
  }
  const table = made("table", { className: "bars" }, body);
  table.setAttribute("aria-label", percent ? "Probability of each class" : "Values");
  const parts = [table];
  if (labels) parts.unshift(made("p", { className: "number", textContent: labels[best] }));
  if (order.length > MOST_BARS) parts.push(made("p", { className: "hint", textContent: `The ${MOST_BARS} largest of ${order.length}.` }));
  return made("div", {}, ...parts);
}

// ---- why this answer: what each feature adds to a number of the output, as signed bars

at("explain").addEventListener("click", async () => {
  const mine = asking;
  at("problem").hidden = true;
  at("explain").disabled = true;
  try {
    const found = await ask(`v2/models/${encodeURIComponent(about.name)}/explain`, answered);
    if (mine === asking) explain(found);
  } catch (problem) {
    if (mine === asking) tellProblem(problem);
  } finally {
    at("explain").disabled = false;
  }
});

function explain(found) {
  const tensors = new Map(found.outputs.map((tensor) => [tensor.name, tensor]));
  const values = JSON.parse(answered).inputs.flatMap((input) => input.data);
  const features = tensors.get("features").data.map((name, index) => `${name} = ${values[index]}`);
  const choices = [];
  for (const { name } of about.outputs) {
    const added = tensors.get(`${name}.shap_values`);
    if (!added) continue;
    const width = added.shape[2], base = tensors.get(`${name}.base_values`).data;
    const errors = tensors.get(`${name}.standard_errors`);
    for (let number = 0; number < width; number += 1) {
      const column = (tensor) => features.map((_, index) => tensor.data[index * width + number]);
      const label = width === about.classes.length ? about.classes[number] : width === 1 ? name : `${name} ${number}`;
      const parts = column(added), total = parts.reduce((sum, part) => sum + part, 0);
      const error = errors ? Math.max(...column(errors)) : 0;
      choices.push({ label, parts, base: base[number], value: base[number] + total, error });
    }
  }
  const drawn = made("div");
  const chosen = made("select", { id: "explained" },
    ...choices.map(({ label }, index) => made("option", { value: String(index), textContent: label })));
  chosen.value = String(choices.reduce((best, choice, index) => choice.value > choices[best].value ? index : best, 0));
  const redraw = () => drawn.replaceChildren(...reasons(features, choices[Number(chosen.value)]));
  chosen.addEventListener("change", redraw);
  redraw();
  const choose = choices.length > 1 ? [made("label", { htmlFor: "explained", textContent: "Output to explain" }), chosen] : [];
  at("reasons").replaceChildren(...choose, drawn);
}

function reasons(features, { label, parts, base, value, error }) {
  const order = parts.map((_, index) => index).filter((index) => parts[index] !== 0);
  order.sort((one, other) => Math.abs(parts[other]) - Math.abs(parts[one]));
  const largest = order.length ? Math.abs(parts[order[0]]) : 1;
  const unit = Math.min(1, 10 ** (Math.floor(Math.log10(largest)) - 2));
  const body = made("tbody");
  for (const index of order.slice(0, MOST_BARS)) {
    const part = parts[index], half = 50 * Math.abs(part) / largest;
    const bar = made("div", { className: part < 0 ? "less" : "more" });
    bar.style.width = `${half}%`;
    bar.style.left = `${part < 0 ? 50 - half : 50}%`;
    body.append(made("tr", {},
      made("th", { scope: "row", textContent: features[index] }),
      made("td", {}, made("div", { className: "track" }, bar)),
      made("td", { textContent: `${part < 0 ? "−" : "+"}${shown(Math.round(Math.abs(part) / unit) * unit)}` })));
  }
  const table = made("table", { className: "bars signed" }, body);
  table.setAttribute("aria-label", `What each value adds to ${label}`);
  const said = [`The output is ${shown(base)} for the usual row and ${shown(value)} for this row. Each bar shows what one value adds.`];
  if (order.length > MOST_BARS) said.push(`The ${MOST_BARS} largest of ${order.length}.`);
  if (error) said.push(`Estimated from samples, with standard errors up to ${shown(error)}.`);
  return [table, made("p", { className: "hint", textContent: said.join(" ") })];
}

// ---- the same from a program

function tellPrograms(body) {
  const url = new URL(`v2/models/${encodeURIComponent(about.name)}/infer`, location.href).href;
  const keyed = sessionStorage.getItem(KEY) !== null;
  at("key-note").hidden = !keyed;
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const header = keyed ? ' \\\n  -H "X-API-Key: $KEY"' : "";
  at("curl").textContent = `curl -s ${quoted(url)} \\\n  -H 'Content-Type: application/json'${header} \\\n  -d ${quoted(body)}`;
  const headers = keyed ? '{"Content-Type": "application/json", "X-API-Key": os.environ["KEY"]}' : '{"Content-Type": "application/json"}';
  at("python").textContent = [
    "import json", ...(keyed ? ["import os"] : []), "import urllib.request", "",
    `body = json.loads(${pythonText(body)})`,
    `request = urllib.request.Request(\n    ${JSON.stringify(url)},\n    json.dumps(body).encode(),\n    ${headers},\n)`,
    "with urllib.request.urlopen(request) as response:", "    print(json.load(response)[\"outputs\"])",
  ].join("\n");
}

// The escapes of a JSON string are valid in Python too.
const pythonText = (text) => JSON.stringify(text);

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", async () => {
    const code = at(button.dataset.copies), before = button.textContent;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch { // no clipboard without HTTPS: the text is selected, for the keyboard
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });
}

at("row").addEventListener("submit", (event) => {
  event.preventDefault();
  predict();
});
at("row").addEventListener("change", predict);
at("row").addEventListener("reset", (event) => {
  event.preventDefault();
  inputs.forEach((input) => input.reset());
  at("problem").hidden = true;
  at("why").hidden = true;
  at("reasons").replaceChildren();
  if (inputs.every((input) => input.ready)) predict();
  else at("answer").replaceChildren(made("p", { className: "hint", textContent: "No prediction yet." }));
});

start();
