// OpenAI's agents SDK for JavaScript, unchanged: a typed question, a tool of ours, the spoken answer.
// node examples/11_openai_agents.mjs URL QUESTION OUT.pcm        (URL: the web port, ws://localhost:8090/v1/realtime)
import { writeFileSync } from "node:fs";
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents/realtime";
import { z } from "zod";

const [url, question, out] = process.argv.slice(2);
const audio = [];

const weather = tool({
  name: "get_weather",
  description: "Tells the weather of a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    console.log(`called: get_weather ${city}`);
    return { city, degrees: 21 };
  },
});
const agent = new RealtimeAgent({ name: "weather", instructions: "You tell the weather.", tools: [weather] });
const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url }) });

session.on("audio", ({ data }) => audio.push(Buffer.from(data))); // PCM16 at 24 kHz
session.on("error", ({ error }) => {
  console.error(error.message ?? error);
  process.exit(1);
});
const spoken = new Promise((resolve) => {
  session.on("transport_event", (event) => {
    if (event.type === "response.output_audio_transcript.done") console.log(`reply: ${event.transcript}`);
    // A response that calls a tool is followed by the one that speaks of its result.
    if (event.type === "response.done" && !event.response.output.some((item) => item.type === "function_call")) resolve();
  });
});

await session.connect({ apiKey: "none needed" });
session.sendMessage(question);
await spoken;
session.close();
writeFileSync(out, Buffer.concat(audio));
process.exit(0);
