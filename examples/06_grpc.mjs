// Ask in text and hear the answer, from the .proto alone: node examples/06_grpc.mjs HOST:PORT QUESTION OUT.pcm
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [target, question, out] = process.argv.slice(2);
const contract = fileURLToPath(new URL("../proto/voice_workflow/v1/voice_workflow.proto", import.meta.url));
const { voice_workflow } = grpc.loadPackageDefinition(loadSync(contract, { keepCase: true, enums: String, oneofs: true }));

const gateway = new voice_workflow.v1.VoiceGateway(target, grpc.credentials.createInsecure());
const call = gateway.Converse();
const audio = [];

call.on("data", (message) => {
  switch (message.message) {
    case "started":
      console.log(`session ${message.started.session_id}, ${message.started.output.sample_rate_hz} Hz`);
      call.write({ text: { text: question } });
      break;
    case "reply_text":
      process.stdout.write(message.reply_text.delta);
      break;
    case "reply_audio":
      audio.push(message.reply_audio.data);
      break;
    case "turn":
      if (message.turn.kind === "REPLY_ENDED") call.end();
      break;
    case "error":
      console.error(message.error.message);
  }
});
call.on("error", (error) => {
  console.error(error.details);
  process.exitCode = 1;
});
call.on("end", () => {
  writeFileSync(out, Buffer.concat(audio));
  console.log(`\n${out}: ${Buffer.concat(audio).length / 2} samples of 16 bits`);
  gateway.close();
});
call.write({ start: { output: { encoding: "AUDIO_ENCODING_PCM16", sample_rate_hz: 16000, channels: 1 } } });
