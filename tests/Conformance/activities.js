// The activities of all scenarios.
import { ApplicationFailure, CompleteAsyncError, activityInfo, cancelled, heartbeat, log, sleep } from '@temporalio/activity';

export async function greet(name) {
    return `Hello, ${name}!`;
}

export async function echo(value) {
    return value;
}

/** Fails until this attempt, and returns the attempt's number. */
export async function succeedAt(attempt) {
    if (activityInfo().attempt < attempt) {
        throw ApplicationFailure.create({ message: `attempt ${activityInfo().attempt}`, type: 'Flaky' });
    }
    return activityInfo().attempt;
}

/** Fails once, and asks for its own pause before the next attempt. */
export async function succeedAfter(pause) {
    if (activityInfo().attempt === 1) {
        throw ApplicationFailure.create({ message: 'later', nextRetryDelay: pause });
    }
    return Date.now() - activityInfo().scheduledTimestampMs;
}

export async function fail(failure) {
    throw ApplicationFailure.create(failure);
}

/** Throws what chains of causes are made of. */
export async function failWithCause() {
    const root = new TypeError('the root');
    const middle = ApplicationFailure.create({ message: 'the middle', type: 'Middle', details: ['one', 2], cause: root });
    throw ApplicationFailure.create({ message: 'the top', type: 'Top', nonRetryable: true, details: [{ three: 3 }], cause: middle });
}

/** Ends only when it is cancelled, and never says that it lives. */
export async function hang() {
    await cancelled();
}

/** Counts to the end, a heartbeat for each; the first attempt fails halfway, the second continues where it was. */
export async function resume(end) {
    const first = activityInfo().heartbeatDetails ?? 0;
    for (let n = first + 1; n <= end; n++) {
        heartbeat(n);
        if (activityInfo().attempt === 1 && n === Math.floor(end / 2)) {
            throw new Error('halfway');
        }
    }
    return first;
}

/** Heartbeats until it is cancelled; then cleans up, and says so where it is told to. */
export async function heartbeatUntilCancelled({ swallow = false } = {}) {
    try {
        for (let beat = 0; ; beat++) {
            heartbeat(beat);
            await sleep(50);
        }
    } catch (error) {
        if (swallow) {
            return 'cleaned up';
        }
        throw error;
    }
}

/** Its first attempt never ends; a later one, on whichever worker, does. */
export async function outliveWorker() {
    const { attempt } = activityInfo();
    while (attempt === 1) {
        heartbeat(process.pid);
        await sleep(50);
    }
    return { attempt, worker: process.pid };
}

/** Does not end in the worker process that is told; any other returns at once. */
export async function outliveProcess(pid) {
    if (process.pid === pid) {
        log.info('waiting to be killed');
        await cancelled();
    }
    return process.pid;
}

/** Is completed by another client, which knows its token or its id. */
export async function completeElsewhere() {
    throw new CompleteAsyncError();
}
