// An ALT run as the official client drives it. Reads { address, id, config } from standard input, prints what it saw.
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';

const { address, id, config } = JSON.parse(await text(process.stdin));
const connection = await Connection.connect({ address });
const { workflow } = new Client({ connection });
const handle = await workflow.start('AltRunWorkflow', { taskQueue: 'alt', workflowId: id, args: [config] });
await handle.signal('Pause');
while (!(await handle.query('Progress')).paused) {
    await pause(100);
}
await handle.signal('Resume');
await handle.result();
console.log(JSON.stringify(await handle.query('Progress')));
await connection.close();
