import assert from 'node:assert/strict';
import { eventTypes, eventsOf, failureOf, until } from '../scenario.js';

export async function cancellationWithCleanup(t) {
    const handle = await t.start('cleansUp');
    await until(async () => (await handle.describe()).raw.pendingActivities?.some((a) => a.heartbeatDetails), 'a heartbeat');

    await handle.cancel();

    assert.equal((await failureOf(handle.result())).cause.name, 'CancelledFailure');
    assert.equal((await handle.describe()).status.name, 'CANCELLED');
    const types = await eventTypes(handle);
    const order = ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'ACTIVITY_TASK_CANCEL_REQUESTED', 'ACTIVITY_TASK_CANCELED', 'TIMER_FIRED', 'ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_CANCELED'];
    assert.deepEqual(types.filter((type) => order.includes(type)), order);
}

export async function cancellationTypes(t) {
    assert.deepEqual(await t.run('cancelsEachWay'), [
        'ActivityFailure < CancelledFailure',
        'ActivityFailure < CancelledFailure',
        'ActivityFailure < CancelledFailure',
        'cleaned up',
    ]);
}

export async function refusedCancellation(t) {
    const handle = await t.start('refusesCancellation');
    assert.match(await handle.query('__stack_trace'), /refusesCancellation/);

    await handle.cancel();

    assert.equal(await handle.result(), 'cancelled: true');
    assert.equal((await handle.describe()).status.name, 'COMPLETED');
}

export async function failureChains(t) {
    const chain = [];
    for (let error = await failureOf(t.run('failsWithChain')); error; error = error.cause) {
        chain.push([error.name, error.type ?? null, error.message, error.details ?? null, error.nonRetryable ?? null]);
    }

    assert.deepEqual(chain, [
        ['WorkflowFailedError', null, 'Workflow execution failed', null, null],
        ['ApplicationFailure', 'Outer', 'the workflow', [], false],
        ['ActivityFailure', null, 'Activity task failed', null, null],
        ['ApplicationFailure', 'Top', 'the top', [{ three: 3 }], true],
        ['ApplicationFailure', 'Middle', 'the middle', ['one', 2], false],
        ['TemporalFailure', null, 'the root', null, null],
    ]);
}

/** A workflow that throws what is no failure is stuck, not failed. */
export async function failingWorkflowTasks(t) {
    const handle = await t.start('failsItsTask', { workflowTaskTimeout: '30s' });
    const { pendingWorkflowTask } = await until(async () => {
        const { raw } = await handle.describe();
        return raw.pendingWorkflowTask?.attempt >= 2 && raw;
    }, 'a second attempt');

    assert.ok(pendingWorkflowTask.attempt >= 2);
    const events = await eventsOf(handle);
    // Attempts after the first are not written down.
    assert.deepEqual(events.map((e) => e.type), ['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_FAILED']);
    assert.equal(events[3].event.workflowTaskFailedEventAttributes.failure.message, 'a defect of the code');
    await handle.terminate();
}
