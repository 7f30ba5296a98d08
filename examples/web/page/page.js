// The paper, the bars, and one reading at a time. What computes is Rust: ../src/page.rs.
import init, { Reader, likeMnist } from "./firesteel_web.js";

const find = (id) => document.getElementById(id);
const [paper, seen, bars, answer, status] = ["paper", "seen", "bars", "answer", "backend"].map(find);
const pen = paper.getContext("2d", { willReadFrequently: true });

const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = bars.appendChild(document.createElement("li"));
  row.innerHTML = `<span>${digit}</span><div class="track"><div class="bar"></div></div><span class="percent"></span>`;
  return row;
});

// What the network says, or nothing where the paper is empty.
function show(likely) {
  const best = likely ? likely.indexOf(Math.max(...likely)) : -1;
  answer.value = likely ? best : "?";
  rows.forEach((row, digit) => {
    const part = likely ? likely[digit] : 0;
    row.classList.toggle("best", digit === best);
    row.style.setProperty("--part", part);
    row.lastChild.textContent = likely ? `${(100 * part).toFixed(1)} %` : "";
  });
}

// What the network sees: white on black, as MNIST.
function showPicture(picture) {
  const image = new ImageData(28, 28);
  picture.forEach((grey, i) => image.data.set([grey, grey, grey, 255], 4 * i));
  seen.getContext("2d").putImageData(image, 0, 0);
}

let reader = null;
let isReading = false;
let isStale = false;

// Reads the paper, and again as long as it has changed meanwhile.
async function read() {
  isStale = true;
  if (!reader || isReading) return;
  isReading = true;
  try {
    while (isStale) {
      isStale = false;
      const { data, width } = pen.getImageData(0, 0, paper.width, paper.height);
      const drawn = data.filter((_, i) => i % 4 === 3); // how opaque a pixel is
      const picture = likeMnist(drawn, width);
      showPicture(picture);
      const isEmpty = picture.every((grey) => grey === 0);
      show(isEmpty ? null : await reader.read(picture));
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    fail(error);
  } finally {
    isReading = false;
  }
}

function fail(error) {
  status.dataset.state = "failed";
  status.textContent = error.message ?? String(error);
}

// Where on the paper a pointer is.
function place(event) {
  const box = paper.getBoundingClientRect();
  const scale = paper.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

paper.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  paper.setPointerCapture(event.pointerId);
  find("hint").hidden = true;
  Object.assign(pen, { lineWidth: 22, lineCap: "round", lineJoin: "round", strokeStyle: getComputedStyle(paper).color });
  pen.beginPath();
  pen.moveTo(...place(event));
  pen.lineTo(...place(event));
  pen.stroke();
  read();
});

paper.addEventListener("pointermove", (event) => {
  if (!paper.hasPointerCapture(event.pointerId)) return;
  const points = event.getCoalescedEvents?.() ?? [];
  for (const point of points.length ? points : [event]) pen.lineTo(...place(point));
  pen.stroke();
  read();
});

find("clear").addEventListener("click", () => {
  pen.clearRect(0, 0, paper.width, paper.height);
  find("hint").hidden = false;
  read();
});

async function start() {
  show(null);
  const backend = new URLSearchParams(location.search).get("backend") ?? undefined;
  const [weights] = await Promise.all([fetch("digits.safetensors").then((file) => file.arrayBuffer()), init()]);
  reader = await Reader.open(new Uint8Array(weights), backend);
  const choice = document.querySelector(`a[href="?backend=${reader.backend()}"]`);
  choice.setAttribute("aria-current", "true");
  status.textContent = `Runs on ${choice.textContent}`;
  status.dataset.state = "ready";
  read();
}

start().catch(fail);
