import { defineSearchAttributeKey } from '@temporalio/common';
import {
    ApplicationFailure, CancellationScope, ChildWorkflowCancellationType, ParentClosePolicy, continueAsNew, condition, defineSignal,
    executeChild, getExternalWorkflowHandle, isCancellation, proxyActivities, setHandler, sleep, startChild, upsertMemo, upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';

const { echo } = proxyActivities({ startToCloseTimeout: '30s', retry: { initialInterval: '20ms' } });

export const wake = defineSignal('wake');

/** Waits for the signal "wake", whose value it returns. */
export async function sleeps() {
    let value;
    setHandler(wake, (given) => void (value = given ?? null));
    await condition(() => value !== undefined);
    return value;
}

export async function returnsAtOnce(value) {
    return value;
}

export async function failsAtOnce() {
    throw ApplicationFailure.create({ message: 'on purpose', nonRetryable: true });
}

export async function waitsForCancellation() {
    await sleep('1 hour');
}

/** Three children at once, a child that fails, one that is cancelled, one that is signalled, and one whose id is taken. */
export async function hasChildren() {
    const prefix = workflowInfo().workflowId;
    const results = await Promise.all([1, 2, 3].map((n) => executeChild('returnsAtOnce', { workflowId: `${prefix}-child-${n}`, args: [n * n] })));

    const failure = await executeChild('failsAtOnce', { workflowId: `${prefix}-fails` }).catch((error) => error);

    const scope = new CancellationScope();
    const cancelled = scope.run(async () => {
        const child = await startChild('waitsForCancellation', {
            workflowId: `${prefix}-cancelled`,
            cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        });
        scope.cancel();
        return await child.result();
    });
    const cancellation = await cancelled.catch((error) => isCancellation(error));

    const signalled = await startChild('sleeps', { workflowId: `${prefix}-signalled` });
    const taken = await startChild('sleeps', { workflowId: `${prefix}-signalled` }).catch((error) => error.name);
    await signalled.signal(wake, 'woken by its parent');

    const left = await startChild('sleeps', { workflowId: `${prefix}-left`, parentClosePolicy: ParentClosePolicy.ABANDON });
    await startChild('sleeps', { workflowId: `${prefix}-ended`, parentClosePolicy: ParentClosePolicy.TERMINATE });
    await startChild('waitsForCancellation', { workflowId: `${prefix}-asked`, parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL });
    return {
        results,
        failure: `${failure.name} < ${failure.cause.message}`,
        cancellation,
        taken,
        woken: await signalled.result(),
        left: left.workflowId,
    };
}

/** Signals one workflow that is not its child, cancels another, and asks for one that is not there. */
export async function reachesOut(toSignal, toCancel) {
    await getExternalWorkflowHandle(toSignal).signal(wake, 'woken from outside');
    await getExternalWorkflowHandle(toCancel).cancel();
    return await getExternalWorkflowHandle('there-is-no-such-workflow').signal(wake).catch((error) => error.name);
}

export async function continues(rounds, done = []) {
    const { continuedFromExecutionRunId, firstExecutionRunId, runId, memo, searchAttributes } = workflowInfo();
    const here = [...done, { runId, from: continuedFromExecutionRunId ?? null, first: firstExecutionRunId, memo: memo?.kept, keyword: searchAttributes.CustomKeywordField?.[0] }];
    await echo(rounds);
    if (rounds > 1) {
        await continueAsNew(rounds - 1, here);
    }
    return here;
}

export async function failsUntilAttempt(attempt) {
    if (workflowInfo().attempt < attempt) {
        throw ApplicationFailure.create({ message: `attempt ${workflowInfo().attempt}` });
    }
    return workflowInfo().attempt;
}

export async function describesItself() {
    upsertSearchAttributes([{ key: defineSearchAttributeKey('CustomKeywordField', 'KEYWORD'), value: 'changed' }]);
    upsertMemo({ progress: 0.5, removed: null });
    await condition(() => false, '1 hour');
}

/** A step, a timer, a step, ...: something is under way at any moment. Returns how often each step was seen. */
export async function keepsGoing(count) {
    // A task whose answer the server could not send before it was killed is lost until its time is over.
    const { echo } = proxyActivities({ startToCloseTimeout: '2s', retry: { initialInterval: '20ms' } });
    const seen = [];
    for (let step = 0; step < count; step++) {
        seen.push(await echo(step));
        await sleep(40);
    }
    return seen;
}
