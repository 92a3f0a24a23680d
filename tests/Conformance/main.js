// Runs every scenario under one configuration: node main.js ADDRESS WORKER-OPTIONS
// Prints one JSON line for each scenario, { scenario, seconds, error }. At the line "kill the server" its parent does so, and
// answers with a line when the next one is up.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { LIMIT, Scenario } from './scenario.js';
import { logToStandardError, startWorker } from './workers.js';
import * as activities from './scenarios/activities.js';
import * as cancellation from './scenarios/cancellation.js';
import * as lifecycle from './scenarios/lifecycle.js';
import * as messages from './scenarios/messages.js';
import { nonDeterminism, replayer, serverKilled, workerKilled } from './scenarios/upheavals.js';

const { INDEXED_VALUE_TYPE_KEYWORD: KEYWORD, INDEXED_VALUE_TYPE_INT: INT } = proto.temporal.api.enums.v1.IndexedValueType;
const answers = createInterface(process.stdin);
const [address, options] = process.argv.slice(2);
const stage = { address, queue: 'conformance', worker: JSON.parse(options), killServer };

logToStandardError();
const connection = await Connection.connect({ address });
await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { CustomKeywordField: KEYWORD, CustomIntField: INT } });
stage.client = new Client({ connection });
const worker = await startWorker(address, stage.queue, stage.worker);
// A cold worker's first task takes seconds, which no timeout of a scenario is to count.
await new Scenario('warming up', stage).run('returnsAtOnce');
const { localActivities, ...others } = activities;
await Promise.all(Object.entries({ ...others, ...cancellation, ...lifecycle, ...messages, nonDeterminism, workerKilled }).map(perform));
// Alone: sdk-core cancels a local activity that waits for its next attempt when another workflow needs its place in a cache of one.
await perform(['localActivities', localActivities]);
// Everybody else would notice this one; and the last one reads what all have left.
await perform(['serverKilled', serverKilled]);
await perform(['replayer', replayer]);
await worker.stop();
await connection.close();
answers.close();

async function killServer() {
    console.log('kill the server');
    await once(answers, 'line');
}

async function perform([scenario, play]) {
    const begin = performance.now();
    let timer;
    const limit = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`it did not end within ${LIMIT / 1000} s`)), LIMIT)));
    const error = await Promise.race([play(new Scenario(scenario, stage)), limit]).then(() => null, (e) => inspect(e));
    clearTimeout(timer);
    console.log(JSON.stringify({ scenario, seconds: (performance.now() - begin) / 1000, error }));
}
