// A workflow in C# as the official client drives it. Reads { address, queue } from standard input, prints what it saw.
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';

const { address, queue } = JSON.parse(await text(process.stdin));
const connection = await Connection.connect({ address });
const { workflow } = new Client({ connection });
const handle = await workflow.start('Basket', { taskQueue: queue, workflowId: `${queue}-basket` });
await handle.signal('Add', 'apple');
const put = await handle.executeUpdate('Put', { args: ['plum'] });
const rejection = await handle.executeUpdate('Put', { args: ['stone'] }).catch((error) => error.cause.message);
const count = await handle.query('Count');
const second = await handle.query('At', 1);
const missing = await handle.query('At', 7).catch((error) => error.name);
await handle.signal('Close');
console.log(JSON.stringify({ put, rejection, count, second, missing, result: await handle.result() }));
await connection.close();
