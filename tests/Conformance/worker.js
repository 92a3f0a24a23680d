// A worker to be killed: node worker.js ADDRESS QUEUE OPTIONS. It lives as long as its parent keeps standard input open.
import { logToStandardError, startWorker } from './workers.js';

const [address, queue, options] = process.argv.slice(2);
logToStandardError();
const worker = await startWorker(address, queue, JSON.parse(options));
console.log('ready');
for await (const _ of process.stdin) {
    // Nothing is ever said on this pipe; only its end matters.
}
await worker.stop();
process.exit(0);
