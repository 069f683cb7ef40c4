// What does the page do? It begins and ends calls, and shows the one that runs.

import { Call } from "./call.js";
import { Controls } from "./view/controls.js";
import { askForToken, SettingsDialog } from "./view/dialogs.js";
import { StatusView } from "./view/status.js";
import { followTheme } from "./view/theme.js";
import { TranscriptView } from "./view/transcript.js";

const TOKEN = "token";

const transcript = new TranscriptView();
const status = new StatusView();
const settings = new SettingsDialog(sessionStorage, (mode) => (call ? call.setMode(mode) : draw()));
const controls = new Controls({
  talk: () => (isOver() ? begin({ speaks: true }) : talk()),
  hold: () => call?.hold(),
  release: () => call?.release(),
  interrupt: () => call?.interrupt(),
  end: () => call?.hangUp(),
  type,
});
let call = null;
let drawing = 0;

followTheme(localStorage);
draw();
offer();
// A page that goes away ends its call at once, not after the time that a call waits for a caller who was cut off.
window.addEventListener("pagehide", () => call?.hangUp());

function isOver() {
  return call === null || call.isOver;
}

function begin(how) {
  status.alert("");
  const entries = (call?.conversation.entries ?? []).map((entry, index) => ({ ...entry, key: entry.key.startsWith("before") ? entry.key : `before-${index}-${entry.key}` }));
  const mine = new Call(settings.chosen, sessionStorage.getItem(TOKEN) ?? "", entries, {
    change: () => mine === call && changed(),
    level: (level) => mine === call && controls.level(level),
    trouble: (sentence) => mine === call && status.alert(sentence),
    token: (sentence) => mine === call && askAgain(sentence, how),
  });
  call = mine;
  void call.begin(how);
}

/** The button, in a call: the microphone is asked for, muted, or unmuted. */
function talk() {
  status.alert("");
  if (call.hasMicrophone) call.mute(!call.isMuted);
  else void call.addMicrophone();
}

function type(text) {
  if (isOver()) begin({ speaks: false });
  else status.alert("");
  call.type(text);
  return true;
}

async function askAgain(sentence, how) {
  const token = await askForToken(sessionStorage.getItem(TOKEN) ? sentence : "");
  if (!token) return;
  sessionStorage.setItem(TOKEN, token);
  void offer();
  begin(how);
}

/** What this gateway serves, for the settings. */
async function offer() {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch("/v1/server-info", { headers }).catch(() => null);
  if (answer?.ok) settings.offer(await answer.json());
}

function changed() {
  for (const text of call.conversation.finals) status.announce(`You said: ${text}`);
  if (!drawing) drawing = requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  const conversation = call?.conversation;
  if (conversation) transcript.draw(conversation.entries);
  status.link(call?.link ?? "offline");
  status.phase(conversation?.phase ?? "idle", call && !isOver() && call.isMuted ? "muted" : "");
  controls.draw({
    talk: talkState(),
    canInterrupt: Boolean(call && !isOver() && (conversation.replying || call.isPlaying)),
    canEnd: !isOver(),
  });
}

function talkState() {
  if (isOver()) return "start";
  if (call.link === "connecting") return "opening";
  if (!call.hasMicrophone) return "start";
  if (call.mode === "hold") return call.isHeld ? "held" : "hold";
  return call.isMuted ? "muted" : "open";
}
