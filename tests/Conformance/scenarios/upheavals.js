import assert from 'node:assert/strict';
import { Worker } from '@temporalio/worker';
import { bundle, spawnWorker, startWorker } from '../workers.js';
import { eventTypes, eventsOf, until } from '../scenario.js';

const QUICK = { stickyQueueScheduleToStartTimeout: '1s' };

export async function workerKilled(t) {
    const queue = t.id('queue');
    const doomed = await spawnWorker(t.address, queue, { ...t.worker, ...QUICK });
    const start = (type, args = []) => t.start(type, { taskQueue: queue, workflowTaskTimeout: '3s', args });
    // The one in the task comes last: it holds the only place of a cache of one.
    const [idle, inActivity] = [await start('losesWorkerIdle'), await start('losesWorkerInActivity')];
    await until(async () => (await eventTypes(idle)).includes('ACTIVITY_TASK_COMPLETED'), 'the idle workflow');
    await until(async () => (await inActivity.describe()).raw.pendingActivities?.some((a) => a.heartbeatDetails), 'the activity');
    const inTask = await start('losesWorkerInTask', [doomed.pid]);
    await until(async () => (await eventTypes(inTask)).includes('WORKFLOW_TASK_STARTED'), 'the workflow task');

    await doomed.kill();
    await idle.signal('continueNow');
    const survivor = await startWorker(t.address, queue, { ...t.worker, ...QUICK });

    try {
        assert.equal(await idle.result(), 'Hello, survivor!');
        assert.deepEqual(await inActivity.result(), { attempt: 2, worker: process.pid });
        assert.equal(await inTask.result(), process.pid);
        const timedOut = (await eventsOf(inTask)).filter((e) => e.type === 'WORKFLOW_TASK_TIMED_OUT');
        assert.equal(timedOut.length, 1);
    } finally {
        await survivor.stop();
    }
}

export async function nonDeterminism(t) {
    const queue = t.id('queue');
    const options = { ...t.worker, ...QUICK };
    const handle = await t.start('deployed', { taskQueue: queue, workflowTaskTimeout: '8s' });
    const original = await startWorker(t.address, queue, options);
    await until(async () => (await eventTypes(handle)).includes('ACTIVITY_TASK_COMPLETED'), 'the activity');
    await until(async () => !(await handle.describe()).raw.pendingWorkflowTask, 'the workflow to wait');
    await original.stop();

    const changed = await startWorker(t.address, queue, options, 'changed');
    await handle.signal('proceed');
    const failed = await until(async () => (await eventsOf(handle)).find((e) => e.type === 'WORKFLOW_TASK_FAILED'), 'the failure of the workflow task');
    const { cause, failure } = failed.event.workflowTaskFailedEventAttributes;
    assert.equal(cause, 24); // WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    assert.match(failure.message, /TMPRL1100/);
    assert.equal((await handle.describe()).status.name, 'RUNNING');
    await changed.stop();

    const fixed = await startWorker(t.address, queue, options);
    try {
        assert.equal(await handle.result(), 'Hello, before!');
    } finally {
        await fixed.stop();
    }
}

export async function serverKilled(t) {
    const count = 20, steps = 12;
    const handles = await Promise.all(Array.from({ length: count }, () => t.start('keepsGoing', { workflowTaskTimeout: '2s', args: [steps] })));
    const waiting = await t.start('collects');
    await until(async () => (await eventTypes(handles.at(-1))).includes('TIMER_FIRED'), 'the workflows to be under way');
    await waiting.signal('add', 'before');

    await t.killServer();

    await waiting.signal('add', 'after');
    await waiting.signal('finish');
    assert.deepEqual(await waiting.result(), ['before', 'after']);
    const expected = Array.from({ length: steps }, (_, n) => n);
    for (const handle of handles) {
        assert.deepEqual(await handle.result(), expected);
        const types = await eventTypes(handle);
        assert.equal(types.filter((type) => type === 'ACTIVITY_TASK_COMPLETED').length, steps);
        assert.equal(types.filter((type) => type === 'TIMER_FIRED').length, steps);
    }
}

/** Every history of the scenarios before, as the server wrote it, through the replayer of the official SDK. */
export async function replayer(t) {
    const histories = t.workflow.list({ query: "ExecutionStatus != 'Running'" }).intoHistories({ concurrency: 10 });
    let count = 0;
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle('workflows') }, histories)) {
        assert.equal(error, undefined, `${workflowId}: ${error?.message}`);
        count++;
    }
    assert.ok(count > 100, `only ${count} histories`);
}
