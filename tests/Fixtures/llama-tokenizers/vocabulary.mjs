// Reads "llama-2" or "llama-3" on standard input; prints {"tokens": by id, "merges": "a b", the most urgent first}.
import { readFileSync } from 'node:fs';
import llama2 from 'llama-tokenizer-js';
import llama3 from 'llama3-tokenizer-js';

const { vocabById, merges } = readFileSync(0, 'utf8') === 'llama-2' ? llama2 : llama3;
const order = [...merges].sort((a, b) => a[1] - b[1]).map(([merge]) => merge);
process.stdout.write(JSON.stringify({ tokens: vocabById, merges: order }));
