// Reads a JSON array of texts on standard input; prints one line of r50k_base token ids for each.
import { readFileSync } from 'node:fs';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';

const texts = JSON.parse(readFileSync(0, 'utf8'));
const ordinary = { disallowedSpecial: new Set() };
process.stdout.write(texts.map((text) => encode(text, ordinary).join(' ') + '\n').join(''));
