// The texts of a page that are too pale on what lies behind them (WCAG 2.1 §1.4.3, level AA).
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });

  // Any CSS colour as red, green, blue (0–255) and alpha (0–1).
  const parse = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (front, back) =>
    [0, 1, 2].map((at) => front[at] * front[3] + back[at] * (1 - front[3])).concat(1);
  const ancestors = (element) => {
    const found = [];
    for (let one = element; one; one = one.parentElement) found.push(one);
    return found;
  };
  const background = (element) =>
    ancestors(element)
      .reverse()
      .map((one) => parse(getComputedStyle(one).backgroundColor))
      .reduce((back, front) => over(front, back), [255, 255, 255, 1]);
  const opacity = (element) =>
    ancestors(element).reduce((all, one) => all * getComputedStyle(one).opacity, 1);
  const luminance = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const pale = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.textContent.trim();
    if (!words || element.getBoundingClientRect().width < 2) continue;
    const back = background(element);
    const front = parse(getComputedStyle(element).color);
    front[3] *= opacity(element);
    const [light, dark] = [luminance(over(front, back)), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) pale.push(`${ratio.toFixed(2)}: ${words.slice(0, 40)}`);
  }
  return pale;
}
