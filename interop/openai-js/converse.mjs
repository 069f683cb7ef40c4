// A spoken conversation through OpenAI's agents SDK: a question that needs a tool, and a barge-in. One JSON line.
//
// node converse.mjs WS_URL QUESTION.pcm INTERRUPTION.pcm        (PCM16 at 24 kHz, without a header)
import { readFileSync } from 'node:fs';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import { z } from 'zod';

const BYTES_PER_MS = 48;
const FRAME_MS = 40;
const [url, question, interruption] = process.argv.slice(2);
const seen = { tool: null, statuses: [], audio_s: 0, errors: [], said: [] };
let waiting = Buffer.alloc(0);
let asked = false;

const weather = tool({
  name: 'get_weather',
  description: 'Tells the weather of a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    seen.tool = ['get_weather', city];
    return 'The sun shines all day, '.repeat(12);
  },
});
const agent = new RealtimeAgent({ name: 'weather', instructions: 'You are a weather service.', tools: [weather] });
const transport = new OpenAIRealtimeWebSocket({ url });
const session = new RealtimeSession(agent, { transport });

function say(path) {
  waiting = Buffer.concat([waiting, readFileSync(path)]);
}

session.on('error', (error) => seen.errors.push(JSON.stringify(error.error ?? error).slice(0, 300)));
let spokenMs = 0;
session.on('audio', ({ data }) => {
  seen.audio_s += data.byteLength / BYTES_PER_MS / 1000;
  if (seen.tool) spokenMs += data.byteLength / BYTES_PER_MS;
  if (spokenMs > 1000 && !asked) {
    asked = true;
    say(interruption);
  }
});
const done = new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`not done within 60 s: ${JSON.stringify(seen)}`)), 60_000).unref();
  session.on('transport_event', (event) => {
    if (event.type !== 'response.done') return;
    seen.statuses.push(event.response.status);
    if (asked && event.response.status === 'completed') resolve();
  });
});

await session.connect({ apiKey: 'anything' });
const microphone = setInterval(() => {
  const frame = Buffer.alloc(FRAME_MS * BYTES_PER_MS);
  waiting.copy(frame);
  waiting = waiting.subarray(frame.length);
  session.sendAudio(frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.length));
}, FRAME_MS);
say(question);
await done;
clearInterval(microphone);
seen.said = session.history
  .filter((item) => item.type === 'message')
  .map((item) => [item.role, item.content.map((part) => part.transcript ?? part.text ?? '').join(' ')]);
session.close();
console.log(JSON.stringify(seen));
process.exit(0);
