// A picture that one draws on, with pen and eraser. Strokes are brought to the picture's own pixels, by area, as soon as
// they end: what is seen then is what the model gets.
const PADS = new WeakMap();
const SIDE = 280; // about how many pixels of the canvas a side has

export default function ({ parentElement, data, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas");
  if (!PADS.has(canvas)) PADS.set(canvas, new Pad(parentElement, canvas));
  const pad = PADS.get(canvas);
  pad.tell = (drawn) => setTriggerValue("drawn", drawn);
  pad.take(data);
}

class Pad {
  constructor(root, canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.tools = [...root.querySelectorAll("[data-tool]")];
    this.tool = "pen";
    this.last = null; // where the stroke is, while one is drawn
    this.told = null; // name of the last picture that was told, until an answer to it came
    this.strokes = 0;
    this.tools.forEach((button) => (button.onclick = () => this.choose(button.dataset.tool)));
    root.querySelector("[data-clear]").onclick = () => {
      this.show(new Uint8Array(this.data.width * this.data.height).fill(this.data.paper));
      this.report();
    };
    canvas.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.last = this.at(event);
      this.line(this.last);
    };
    canvas.onpointermove = (event) => {
      if (!this.last) return;
      const points = event.getCoalescedEvents?.() ?? [];
      (points.length ? points : [event]).forEach((point) => this.line(this.at(point)));
    };
    canvas.onpointerup = canvas.onpointercancel = () => {
      if (!this.last) return;
      this.last = null;
      this.show(this.pixels());
      this.report();
    };
  }

  choose(tool) {
    this.tool = tool;
    this.tools.forEach((button) => button.setAttribute("aria-pressed", button.dataset.tool === tool));
  }

  // What the server says. While a stroke is drawn, or before it answered to the last one, it says what was before.
  take(data) {
    const other = !this.data || data.of !== this.data.of;
    if (!other && (this.last || (this.told && data.heard !== this.told))) return;
    this.last = this.told = null;
    this.data = data;
    const cell = Math.max(1, Math.round(SIDE / Math.max(data.width, data.height)));
    if (this.cell !== cell || this.canvas.width !== cell * data.width || this.canvas.height !== cell * data.height) {
      this.cell = cell;
      this.canvas.width = cell * data.width;
      this.canvas.height = cell * data.height;
      this.shown = null;
    }
    if (this.shown !== data.pixels) this.show(Uint8Array.from(atob(data.pixels), (letter) => letter.charCodeAt(0)));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * this.canvas.width,
      ((event.clientY - box.top) / box.height) * this.canvas.height,
    ];
  }

  line(to) {
    const shade = this.tool === "pen" ? this.data.ink : this.data.paper;
    Object.assign(this.context, { lineCap: "round", lineWidth: this.data.pen * this.cell });
    this.context.strokeStyle = `rgb(${shade},${shade},${shade})`;
    this.context.beginPath();
    this.context.moveTo(...this.last);
    this.context.lineTo(to[0] + 0.01, to[1]); // a dot is a line, too
    this.context.stroke();
    this.last = to;
  }

  // The mean of the canvas over each pixel of the picture.
  pixels() {
    const { width, height } = this.data;
    const seen = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height).data;
    const sums = new Float64Array(width * height);
    for (let y = 0, place = 0; y < this.canvas.height; y++)
      for (let x = 0; x < this.canvas.width; x++, place += 4)
        sums[Math.floor(y / this.cell) * width + Math.floor(x / this.cell)] += seen[place];
    return Uint8Array.from(sums, (sum) => Math.round(sum / this.cell ** 2));
  }

  show(pixels) {
    const { width } = this.data;
    pixels.forEach((shade, place) => {
      this.context.fillStyle = `rgb(${shade},${shade},${shade})`;
      this.context.fillRect((place % width) * this.cell, Math.floor(place / width) * this.cell, this.cell, this.cell);
    });
    this.shown = btoa(String.fromCharCode(...pixels));
  }

  report() {
    this.told = `${Date.now()}-${++this.strokes}`;
    this.tell({ of: this.data.of, pixels: this.shown, name: this.told });
  }
}
