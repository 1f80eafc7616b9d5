// Saves a picture that is SVG as PNG: the browser has the fonts that its words need.
const SCALE = 2;

export default function ({ parentElement, data }) {
  parentElement.querySelector("button").onclick = async () => {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(data.svg)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = SCALE * image.naturalWidth;
    canvas.height = SCALE * image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.download = data.name;
    link.href = canvas.toDataURL("image/png");
    link.click();
  };
}
