// What is told of the call itself? The link on top, whose turn it is above the controls, what went wrong, and, to screen
// readers, what has become final.

import { byId } from "./dom.js";

const LINKS = {
  offline: "Not connected",
  connecting: "Connecting…",
  online: "Connected",
  reconnecting: "Connection lost, coming back…",
  lost: "Not connected",
};
const PHASES = {
  idle: "",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking",
  speaking: "Speaking",
};

export class StatusView {
  /** The state of the link. */
  link(state) {
    byId("link").dataset.state = state;
    setText("link-text", LINKS[state]);
  }

  /** Whose turn it is. */
  phase(phase, hint) {
    setText("phase", [PHASES[phase], hint].filter(Boolean).join(" · "));
  }

  /** Something went wrong; "" = nothing does. */
  alert(sentence) {
    setText("alert", sentence);
  }

  /** Tell a screen reader, once. */
  announce(sentence) {
    setText("announcer", sentence);
  }
}

function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}
