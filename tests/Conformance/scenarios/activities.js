import assert from 'node:assert/strict';
import { ActivityNotFoundError } from '@temporalio/client';
import { eventTypes, eventsOf, failureOf, until } from '../scenario.js';

export async function activities(t) {
    const values = [0, 1.5, 'Grüße 你好 🌍', true, null, [1, [2]], { nested: { deep: 'yes' } }, 'x'.repeat(100_000)];

    const { greetings, echoes } = await t.run('runsActivities', { args: [values] });

    assert.deepEqual(greetings, ['Hello, Temporal!', 'Hello, a!', 'Hello, b!', 'Hello, c!']);
    assert.deepEqual(echoes, values);
    const bytes = await t.run('echoesBytes', { args: [Buffer.from([0, 255, 7])] });
    assert.deepEqual([...bytes], [0, 255, 7]);
}

export async function activityRetries(t) {
    const handle = await t.start('retriesActivities');

    const { ownPause, ...rest } = await handle.result();

    assert.deepEqual(rest, {
        attempt: 3,
        resumed: 5,
        tooOften: 'MAXIMUM_ATTEMPTS_REACHED: again',
        hopeless: 'NON_RETRYABLE_FAILURE: no',
        nonRetryable: 'NON_RETRYABLE_FAILURE: never',
    });
    assert.ok(ownPause >= 290, `the second attempt came after ${ownPause} ms`);
    const started = (await eventsOf(handle)).filter((e) => e.type === 'ACTIVITY_TASK_STARTED').map((e) => e.event.activityTaskStartedEventAttributes);
    assert.equal(started[0].attempt, 3);
    assert.equal(started[0].lastFailure.message, 'attempt 2');
}

export async function activityTimeouts(t) {
    assert.deepEqual(await t.run('timesOut'), ['START_TO_CLOSE', 'HEARTBEAT', 'SCHEDULE_TO_CLOSE', 'SCHEDULE_TO_START']);
}

export async function timers(t) {
    const handle = await t.start('runsTimers');

    const { order, outcome, met, waited } = await handle.result();

    assert.deepEqual(order, [100, 200, 300]);
    assert.equal(outcome, 'CancelledFailure');
    assert.equal(met, false);
    assert.ok(waited >= 100, `the condition was given up after ${waited} ms`);
    const types = await eventTypes(handle);
    assert.equal(types.filter((type) => type === 'TIMER_FIRED').length, 4);
}

export async function localActivities(t) {
    const handle = await t.start('runsLocally');

    assert.deepEqual(await handle.result(), {
        greetings: ['Hello, a!', 'Hello, b!'],
        attempt: 3,
        failure: 'ApplicationFailure Local: not here',
        backoff: 2,
        patched: true,
    });
    const types = await eventTypes(handle);
    assert.ok(!types.includes('ACTIVITY_TASK_SCHEDULED'), types.join());
    assert.ok(types.includes('MARKER_RECORDED') && types.includes('TIMER_FIRED'), types.join());
}

export async function patching(t) {
    const handle = await t.start('patchesTwice');
    await until(async () => (await eventTypes(handle)).includes('ACTIVITY_TASK_COMPLETED'), 'the activity');
    assert.deepEqual(await handle.query('steps'), ['new']);

    await handle.signal('release');

    assert.deepEqual(await handle.result(), ['new', 'new']);
    const { searchAttributes } = await handle.describe();
    assert.deepEqual(searchAttributes.TemporalChangeVersion, ['twice']);
}

export async function asyncCompletion(t) {
    const handle = await t.start('awaitsCompletion');
    const { activityId } = await until(async () => (await handle.describe()).raw.pendingActivities?.find((a) => Number(a.state) === 2), 'the activity to start');
    // Its worker has to have let go of it before anybody else may answer.
    const activity = { workflowId: handle.workflowId, activityId };
    await t.client.activity.heartbeat(activity, { at: 'half' });
    const details = await until(async () => (await handle.describe()).raw.pendingActivities?.[0].heartbeatDetails, 'the heartbeat');
    assert.deepEqual(JSON.parse(Buffer.from(details.payloads[0].data)), { at: 'half' });

    await t.client.activity.complete(activity, 'from outside');

    assert.equal(await handle.result(), 'from outside');
    assert.ok((await failureOf(t.client.activity.complete(activity, 'again'))) instanceof ActivityNotFoundError);

    const failing = await t.start('awaitsCompletion');
    const pending = await until(async () => (await failing.describe()).raw.pendingActivities?.find((a) => Number(a.state) === 2), 'the other activity');
    await t.client.activity.fail({ workflowId: failing.workflowId, activityId: pending.activityId }, new Error('failed from outside'));
    assert.equal((await failureOf(failing.result())).cause.cause.message, 'failed from outside');
}
