// How is a turn's timing drawn? Two lanes on one time line, with the numbers beneath for who opens them.

import { ms, PARTS, timingSentence } from "../state/timing.js";
import { make } from "./dom.js";

/** The figure of a timing; `open` = its numbers were being read. */
export function timing(of, open = false) {
  const details = make("details", "", {}, make("summary", "", {}, make("strong", "", {}, ms(of.answerS)), " to the answer"), numbers(of));
  details.open = open;
  return make("div", "timing", {}, lanes(of), details);
}

function lanes(of) {
  const figure = make("div", "lanes", { role: "img", "aria-label": timingSentence(of) });
  for (const { id, fromS, toS, lane } of of.bars) {
    const bar = make("span", "", { "data-part": id, "data-lane": lane });
    bar.style.left = `${(100 * fromS) / of.totalS}%`;
    bar.style.width = `${(100 * (toS - fromS)) / of.totalS}%`;
    figure.append(bar);
  }
  return figure;
}

function numbers(of) {
  const list = make("dl", "parts");
  for (const { id, label } of PARTS) {
    const bar = of.bars.find((one) => one.id === id);
    if (bar) list.append(make("div", "", { "data-part": id }, make("dt", "", {}, label), make("dd", "", {}, ms(bar.toS - bar.fromS))));
  }
  return list;
}
