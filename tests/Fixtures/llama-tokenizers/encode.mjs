// Reads {"tokenizer": "llama-2" or "llama-3", "texts": [...]} on standard input; prints one line of token ids for each text.
import { readFileSync } from 'node:fs';
import llama2 from 'llama-tokenizer-js';
import llama3 from 'llama3-tokenizer-js';

const { tokenizer, texts } = JSON.parse(readFileSync(0, 'utf8'));
const encode = tokenizer === 'llama-2' ? (text) => llama2.encode(text, false) : (text) => llama3.encode(text, { bos: false, eos: false });
process.stdout.write(texts.map((text) => encode(text).join(' ') + '\n').join(''));
