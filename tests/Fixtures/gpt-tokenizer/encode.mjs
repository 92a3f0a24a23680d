// Reads {"encoding": "r50k_base" or "cl100k_base", "texts": [...]} on standard input; prints one line of token ids for each text.
import { readFileSync } from 'node:fs';

const { encoding, texts } = JSON.parse(readFileSync(0, 'utf8'));
const { encode } = await import(`gpt-tokenizer/encoding/${encoding}`);
const ordinary = { disallowedSpecial: new Set() };
process.stdout.write(texts.map((text) => encode(text, ordinary).join(' ') + '\n').join(''));
