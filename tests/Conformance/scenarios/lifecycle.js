import assert from 'node:assert/strict';
import { WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes, defineSearchAttributeKey } from '@temporalio/common';
import { eventTypes, eventsOf, failureOf, until } from '../scenario.js';

const keyword = defineSearchAttributeKey('CustomKeywordField', 'KEYWORD');
const number = defineSearchAttributeKey('CustomIntField', 'INT');

export async function children(t) {
    const handle = await t.start('hasChildren');

    const result = await handle.result();

    assert.deepEqual(result, {
        results: [1, 4, 9],
        failure: 'ChildWorkflowFailure < on purpose',
        cancellation: true,
        taken: 'WorkflowExecutionAlreadyStartedError',
        woken: 'woken by its parent',
        left: `${handle.workflowId}-left`,
    });
    const child = (suffix) => t.workflow.getHandle(`${handle.workflowId}-${suffix}`);
    await until(async () => (await child('ended').describe()).status.name === 'TERMINATED', 'the child to be terminated');
    await until(async () => (await child('asked').describe()).status.name === 'CANCELLED', 'the child to be cancelled');
    const left = await child('left').describe();
    assert.equal(left.status.name, 'RUNNING');
    assert.equal(left.parentExecution.workflowId, handle.workflowId);
    await child('left').signal('wake', 'alone');
    assert.equal(await child('left').result(), 'alone');
}

export async function externalWorkflows(t) {
    const [signalled, cancelled] = [await t.start('sleeps'), await t.start('waitsForCancellation')];

    assert.equal(await t.run('reachesOut', { args: [signalled.workflowId, cancelled.workflowId] }), 'ApplicationFailure');

    assert.equal(await signalled.result(), 'woken from outside');
    assert.equal((await failureOf(cancelled.result())).cause.name, 'CancelledFailure');
}

export async function continueAsNew(t) {
    const handle = await t.start('continues', {
        args: [4],
        memo: { kept: { all: 'along' } },
        typedSearchAttributes: new TypedSearchAttributes([{ key: keyword, value: 'kept' }]),
    });

    const rounds = await handle.result();

    assert.equal(rounds.length, 4);
    assert.deepEqual(rounds.map((r) => r.from), [null, ...rounds.slice(0, 3).map((r) => r.runId)]);
    for (const round of rounds) {
        assert.deepEqual([round.first, round.memo, round.keyword], [handle.firstExecutionRunId, { all: 'along' }, 'kept']);
    }
    assert.equal(new Set(rounds.map((r) => r.runId)).size, 4);
    const first = t.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    assert.equal((await first.describe()).status.name, 'CONTINUED_AS_NEW');
    assert.equal((await eventTypes(first)).at(-1), 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
    const alone = t.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false });
    assert.equal((await failureOf(alone.result())).name, 'WorkflowExecutionContinuedAsNewError');
}

export async function workflowRetriesAndTimeouts(t) {
    assert.equal(await t.run('failsUntilAttempt', { args: [3], retry: { initialInterval: '20ms' } }), 3);
    const spent = await failureOf(t.run('failsUntilAttempt', { args: [9], retry: { initialInterval: '10ms', maximumAttempts: 2 } }));
    assert.equal(spent.cause.message, 'attempt 2');

    const timedOut = await t.start('waitsForCancellation', { workflowRunTimeout: '1s' });
    const failure = await failureOf(timedOut.result());
    assert.equal(failure.cause.name, 'TimeoutFailure');
    assert.equal((await timedOut.describe()).status.name, 'TIMED_OUT');

    const before = Date.now();
    await t.run('returnsAtOnce', { args: [1], startDelay: '700ms' });
    assert.ok(Date.now() - before >= 690, `the delayed start took ${Date.now() - before} ms`);
}

export async function terminate(t) {
    const handle = await t.start('sleeps');
    assert.match(await handle.query('__stack_trace'), /sleeps/);

    await handle.terminate('enough');

    const failure = await failureOf(handle.result());
    assert.equal(failure.cause.name, 'TerminatedFailure');
    assert.equal((await handle.describe()).status.name, 'TERMINATED');
    const { event } = (await eventsOf(handle)).at(-1);
    assert.equal(event.workflowExecutionTerminatedEventAttributes.reason, 'enough');
    assert.ok((await failureOf(handle.terminate('again'))) instanceof WorkflowNotFoundError);
    assert.ok((await failureOf(t.workflow.getHandle('there-is-no-such-workflow').describe())) instanceof WorkflowNotFoundError);
}

export async function duplicateStarts(t) {
    const workflowId = t.id('taken');
    const start = (options) => t.start('sleeps', { workflowId, ...options });
    const refused = async (options) => assert.equal((await failureOf(start(options))).name, 'WorkflowExecutionAlreadyStartedError');
    const first = await start();

    // While it runs: the conflict policy decides.
    await refused({});
    await refused({ workflowIdConflictPolicy: 'FAIL' });
    const existing = await start({ workflowIdConflictPolicy: 'USE_EXISTING' });
    assert.equal(existing.firstExecutionRunId, first.firstExecutionRunId);
    const second = await start({ workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
    assert.notEqual(second.firstExecutionRunId, first.firstExecutionRunId);
    assert.equal((await t.workflow.getHandle(workflowId, first.firstExecutionRunId).describe()).status.name, 'TERMINATED');

    // Once it is closed: the reuse policy decides, by how it closed.
    await second.signal('wake', 'done');
    assert.equal(await second.result(), 'done');
    await refused({ workflowIdReusePolicy: 'REJECT_DUPLICATE' });
    await refused({ workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' });
    const third = await start({ workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
    await third.terminate();
    const fourth = await start({ workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' });
    await fourth.signal('wake', 'last');
    assert.equal(await fourth.result(), 'last');

    // A start that is repeated because its answer was lost is the same start.
    const request = {
        namespace: 'default', workflowId: t.id('request'), requestId: 'the-same', workflowType: { name: 'sleeps' }, taskQueue: { name: t.queue },
    };
    const [once, twice] = [await t.service.startWorkflowExecution(request), await t.service.startWorkflowExecution(request)];
    assert.equal(once.runId, twice.runId);
    await t.workflow.getHandle(request.workflowId).terminate();
}

export async function reset(t) {
    const handle = await t.start('collects', { args: [['start']] });
    await handle.executeUpdate('slowly', { args: ['before'] });
    await handle.signal('add', 'signalled');
    assert.deepEqual(await handle.query('items'), ['start', 'Hello, before!', 'signalled']);
    const events = await eventsOf(handle);
    const cut = events.findIndex((e) => e.type === 'WORKFLOW_TASK_COMPLETED') + 1;

    const { runId } = await t.service.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: handle.workflowId },
        reason: 'to see it run again',
        workflowTaskFinishEventId: cut,
        requestId: t.id('request'),
        resetReapplyType: 3, // all that is eligible: signals and updates
    });

    const old = t.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false });
    assert.equal((await old.describe()).status.name, 'TERMINATED');
    const again = t.workflow.getHandle(handle.workflowId, runId);
    await again.signal('finish');
    assert.deepEqual((await again.result()).sort(), ['Hello, before!', 'signalled', 'start']);
    const failed = (await eventsOf(again)).find((e) => e.type === 'WORKFLOW_TASK_FAILED').event.workflowTaskFailedEventAttributes;
    assert.equal(failed.newRunId, runId);
    assert.equal(failed.baseRunId, handle.firstExecutionRunId);
}

export async function listAndCount(t) {
    const mark = `${t.id('mark')}-${process.pid}`;
    const handles = [];
    for (let n = 0; n < 12; n++) {
        handles.push(await t.start(n % 3 === 0 ? 'returnsAtOnce' : 'sleeps', {
            args: n % 3 === 0 ? [n] : [],
            typedSearchAttributes: new TypedSearchAttributes([{ key: keyword, value: mark }, { key: number, value: n }]),
        }));
    }
    await Promise.all(handles.filter((_, n) => n % 3 === 0).map((handle) => handle.result()));
    await handles[1].terminate();
    const numbers = async (query, options) => {
        const found = [];
        for await (const { workflowId } of t.workflow.list({ query: `CustomKeywordField = '${mark}' AND ${query}`, ...options })) {
            found.push(handles.findIndex((handle) => handle.workflowId === workflowId));
        }
        return found;
    };
    const sorted = async (query) => (await numbers(query)).sort((a, b) => a - b);

    assert.deepEqual(await sorted('ExecutionStatus = "Completed"'), [0, 3, 6, 9]);
    assert.deepEqual(await sorted("ExecutionStatus != 'Running'"), [0, 1, 3, 6, 9]);
    assert.deepEqual(await sorted('CustomIntField > 8'), [9, 10, 11]);
    assert.deepEqual(await sorted('CustomIntField < 2'), [0, 1]);
    assert.deepEqual(await sorted('CustomIntField BETWEEN 4 AND 6'), [4, 5, 6]);
    assert.deepEqual(await sorted("WorkflowType IN ('returnsAtOnce', 'another')"), [0, 3, 6, 9]);
    assert.deepEqual(await sorted(`WorkflowId STARTS_WITH '${handles[10].workflowId.slice(0, -1)}'`), [0, 9, 10, 11].filter((n) => handles[n].workflowId.startsWith(handles[10].workflowId.slice(0, -1))));
    assert.deepEqual(await sorted("(CustomIntField = 2 OR CustomIntField = 3) AND WorkflowType = 'sleeps'"), [2]);
    assert.deepEqual(await sorted(`StartTime <= '${new Date().toISOString()}' AND CloseTime IS NULL`), [2, 4, 5, 7, 8, 10, 11]);
    assert.deepEqual(await numbers('CustomIntField >= 6 ORDER BY CustomIntField DESC', { pageSize: 2 }), [11, 10, 9, 8, 7, 6]);
    assert.equal((await failureOf(numbers('Nonsense ='))).code ?? 3, 3);

    const { count, groups } = await t.workflow.count(`CustomKeywordField = '${mark}' GROUP BY ExecutionStatus`);
    assert.equal(count, 12);
    assert.deepEqual(Object.fromEntries(groups.map((g) => [g.groupValues[0], g.count])), { Running: 7, Completed: 4, Terminated: 1 });
    await Promise.all([2, 4, 5, 7, 8, 10, 11].map((n) => handles[n].terminate()));
}

export async function describeAndAttributes(t) {
    const handle = await t.start('describesItself', {
        memo: { origin: 'test', removed: 'soon' },
        typedSearchAttributes: new TypedSearchAttributes([{ key: keyword, value: 'first' }, { key: number, value: 7 }]),
        staticSummary: 'a summary',
    });

    const described = await until(async () => {
        const now = await handle.describe();
        return now.memo.progress && now;
    }, 'the memo to change');

    assert.deepEqual(described.memo, { origin: 'test', progress: 0.5 });
    assert.equal(described.typedSearchAttributes.get(keyword), 'changed');
    assert.equal(described.typedSearchAttributes.get(number), 7);
    assert.equal(described.taskQueue, t.queue);
    assert.equal(described.type, 'describesItself');
    assert.equal(await described.staticSummary(), 'a summary');
    assert.equal(described.historyLength, (await handle.fetchHistory()).events.length);
    await handle.terminate();
}

export async function fiftyInParallel(t) {
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => t.run('runsActivities', { args: [[n]] })));

    assert.deepEqual(results.map((r) => r.echoes[0]), Array.from({ length: 50 }, (_, n) => n));
}
