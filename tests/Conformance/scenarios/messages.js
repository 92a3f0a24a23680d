import assert from 'node:assert/strict';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { eventTypes, failureOf } from '../scenario.js';

const TWENTY_FIVE = Array.from({ length: 25 }, (_, n) => n);

export async function signals(t) {
    const handle = await t.start('collects');

    // One after the other: their order is part of the contract. Many arrive while a workflow task is under way.
    for (const n of TWENTY_FIVE) {
        await handle.signal('add', n);
    }
    await handle.signal('add', 'two', 'values');
    await handle.signal('finish');

    assert.deepEqual(await handle.result(), [...TWENTY_FIVE, 'two', 'values']);
    assert.equal((await failureOf(handle.signal('add', 'late'))).name, 'WorkflowNotFoundError');

    const unknown = await t.start('collectsUnknown', { args: [2] });
    await unknown.signal('first', 1);
    await unknown.signal('second', 2, 3);
    assert.deepEqual(await unknown.result(), [['first', 1], ['second', 2, 3]]);
}

export async function queries(t) {
    const handle = await t.start('collects', { args: [['first']] });
    assert.deepEqual(await handle.query('items'), ['first']);
    await handle.signal('add', 'second');

    const asked = await Promise.all([0, 1, 0, 1, 0].map((index) => handle.query('itemAt', index)));

    assert.deepEqual(asked, ['first', 'second', 'first', 'second', 'first']);
    assert.match((await failureOf(handle.query('itemAt', 7))).message, /there is no item 7/);
    assert.match((await failureOf(handle.query('nothing'))).message, /did not register a handler for nothing/);
    assert.match(await handle.query('__stack_trace'), /collects/);

    await handle.signal('finish');
    await handle.result();
    assert.deepEqual(await handle.query('items'), ['first', 'second']);
    const strict = new t.workflow.constructor({ connection: t.client.connection, queryRejectCondition: 'NOT_OPEN' });
    assert.equal((await failureOf(strict.getHandle(handle.workflowId).query('items'))).name, 'QueryRejectedError');
}

export async function updates(t) {
    const handle = await t.start('collects');

    assert.equal(await handle.executeUpdate('put', { args: ['one'] }), 1);
    assert.equal(await handle.executeUpdate('slowly', { args: ['two'] }), 'Hello, two!');

    const failed = await failureOf(handle.executeUpdate('failing'));
    assert.equal(failed.name, 'WorkflowUpdateFailedError');
    assert.equal(failed.cause.message, 'accepted, then failed');
    assert.equal(failed.cause.type, 'Late');
    assert.deepEqual(failed.cause.details, [2]);

    const three = await handle.startUpdate('slowly', { args: ['three'], waitForStage: 'ACCEPTED', updateId: 'the-third' });
    const sameAgain = await handle.startUpdate('slowly', { args: ['three'], waitForStage: 'ACCEPTED', updateId: 'the-third' });
    assert.equal(await three.result(), 'Hello, three!');
    assert.equal(await sameAgain.result(), 'Hello, three!');
    assert.equal(await handle.getUpdateHandle('the-third').result(), 'Hello, three!');

    const many = await Promise.all([4, 5, 6, 7].map((n) => handle.executeUpdate('slowly', { args: [`${n}`] })));
    assert.deepEqual(many, ['Hello, 4!', 'Hello, 5!', 'Hello, 6!', 'Hello, 7!']);

    await handle.signal('finish');
    assert.equal((await handle.result()).length, 7);
    assert.equal(await handle.getUpdateHandle('the-third').result(), 'Hello, three!');
    assert.equal((await failureOf(handle.executeUpdate('put', { args: ['late'] }))).name, 'WorkflowNotFoundError');
}

export async function updateValidators(t) {
    const handle = await t.start('collects');

    const rejected = await failureOf(handle.executeUpdate('put', { args: [7] }));

    assert.equal(rejected.name, 'WorkflowUpdateFailedError');
    assert.equal(rejected.cause.message, '7 is no string');
    assert.equal(rejected.cause.type, 'Invalid');
    assert.equal((await failureOf(handle.executeUpdate('unknown'))).name, 'WorkflowUpdateFailedError');
    assert.equal(await handle.executeUpdate('put', { args: ['valid'] }), 1);
    await handle.signal('finish');
    assert.deepEqual(await handle.result(), ['valid']);
    assert.equal((await eventTypes(handle)).filter((type) => type === 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED').length, 1);
}

export async function signalWithStart(t) {
    const options = { workflowId: t.id(), taskQueue: t.queue, args: [['start']], signal: 'add' };

    const first = await t.workflow.signalWithStart('collects', { ...options, signalArgs: ['one'] });
    const second = await t.workflow.signalWithStart('collects', { ...options, signalArgs: ['two'] });
    await second.signal('finish');

    assert.equal(second.signaledRunId, first.signaledRunId);
    assert.deepEqual(await first.result(), ['start', 'one', 'two']);

    const third = await t.workflow.signalWithStart('collects', { ...options, signalArgs: ['three'] });
    assert.notEqual(third.signaledRunId, first.signaledRunId);
    await third.signal('finish');
    assert.deepEqual(await third.result(), ['start', 'three']);
}

export async function updateWithStart(t) {
    const operation = (workflowIdConflictPolicy) =>
        new WithStartWorkflowOperation('collects', { workflowId: t.id('only'), taskQueue: t.queue, args: [['start']], workflowIdConflictPolicy });

    const starting = operation('FAIL');
    assert.equal(await t.workflow.executeUpdateWithStart('put', { args: ['one'], startWorkflowOperation: starting }), 2);
    const handle = await starting.workflowHandle();

    assert.equal(await t.workflow.executeUpdateWithStart('put', { args: ['two'], startWorkflowOperation: operation('USE_EXISTING') }), 3);
    const update = await t.workflow.startUpdateWithStart('slowly', { args: ['three'], waitForStage: 'ACCEPTED', startWorkflowOperation: operation('USE_EXISTING') });
    assert.equal(await update.result(), 'Hello, three!');
    assert.equal((await failureOf(t.workflow.executeUpdateWithStart('put', { args: [7], startWorkflowOperation: operation('USE_EXISTING') }))).cause.type, 'Invalid');
    const refused = operation('FAIL');
    // Both the call and the operation's handle tell of it.
    const [call, start] = await Promise.all([
        failureOf(t.workflow.executeUpdateWithStart('put', { args: ['no'], startWorkflowOperation: refused })),
        failureOf(refused.workflowHandle()),
    ]);
    assert.equal(call.name, 'WorkflowExecutionAlreadyStartedError');
    assert.equal(start.name, 'WorkflowExecutionAlreadyStartedError');

    await handle.signal('finish');
    assert.deepEqual(await handle.result(), ['start', 'one', 'two', 'Hello, three!']);
}
