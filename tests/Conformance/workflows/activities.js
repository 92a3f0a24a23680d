import { CancellationScope, condition, patched, proxyActivities, proxyLocalActivities, setHandler, defineQuery, defineSignal, sleep } from '@temporalio/workflow';

const activities = proxyActivities({ startToCloseTimeout: '30s', retry: { initialInterval: '20ms' } });

export async function runsActivities(values) {
    const greetings = [await activities.greet('Temporal'), ...(await Promise.all(['a', 'b', 'c'].map((name) => activities.greet(name))))];
    const echoes = await Promise.all(values.map((value) => activities.echo(value)));
    return { greetings, echoes };
}

export async function echoesBytes(bytes) {
    return await activities.echo(bytes);
}

export async function retriesActivities() {
    const rareTries = proxyActivities({ startToCloseTimeout: '30s', retry: { initialInterval: '10ms', maximumAttempts: 2 } });
    const pickyTries = proxyActivities({ startToCloseTimeout: '30s', retry: { initialInterval: '10ms', nonRetryableErrorTypes: ['Hopeless'] } });
    return {
        attempt: await activities.succeedAt(3),
        ownPause: await activities.succeedAfter('300ms'),
        resumed: await activities.resume(10),
        tooOften: await retryStateOf(rareTries.fail({ message: 'again' })),
        hopeless: await retryStateOf(pickyTries.fail({ message: 'no', type: 'Hopeless' })),
        nonRetryable: await retryStateOf(activities.fail({ message: 'never', nonRetryable: true })),
    };
}

async function retryStateOf(call) {
    try {
        await call;
        return 'it did not fail';
    } catch (error) {
        return `${error.retryState}: ${error.cause.message}`;
    }
}

export async function timesOut() {
    const once = { retry: { maximumAttempts: 1 } };
    return await Promise.all([
        timeoutTypeOf(proxyActivities({ ...once, startToCloseTimeout: '400ms' }).hang()),
        timeoutTypeOf(proxyActivities({ ...once, startToCloseTimeout: '30s', heartbeatTimeout: '400ms' }).hang()),
        timeoutTypeOf(proxyActivities({ startToCloseTimeout: '300ms', scheduleToCloseTimeout: '700ms' }).hang()),
        timeoutTypeOf(proxyActivities({ startToCloseTimeout: '30s', scheduleToStartTimeout: '300ms', taskQueue: 'nobody-polls-here' }).hang()),
    ]);
}

async function timeoutTypeOf(call) {
    try {
        await call;
        return 'it did not time out';
    } catch (error) {
        return error.cause.timeoutType;
    }
}

export async function runsTimers() {
    const order = [];
    const note = async (pause) => {
        await sleep(pause);
        order.push(pause);
    };
    await Promise.all([300, 100, 200].map(note));
    const scope = new CancellationScope({ cancellable: true });
    const cancelledTimer = scope.run(() => sleep('1 hour'));
    scope.cancel();
    const outcome = await cancelledTimer.catch((error) => error.name);
    const before = Date.now();
    const met = await condition(() => false, 100);
    return { order, outcome, met, waited: Date.now() - before };
}

export async function runsLocally() {
    const local = proxyLocalActivities({ startToCloseTimeout: '10s', retry: { initialInterval: '10ms', maximumAttempts: 4 } });
    const greetings = await Promise.all(['a', 'b'].map((name) => local.greet(name)));
    const attempt = await local.succeedAt(3);
    const failure = await local.fail({ message: 'not here', type: 'Local', nonRetryable: true }).catch((error) => error);
    // Longer than the local activity's own back-off, so that the timer between attempts is seen too.
    const backoff = await proxyLocalActivities({ startToCloseTimeout: '10s', localRetryThreshold: '10ms', retry: { initialInterval: '100ms' } }).succeedAt(2);
    return { greetings, attempt, failure: `${failure.name} ${failure.type}: ${failure.message}`, backoff, patched: patched('a-patch') };
}

export const release = defineSignal('release');
export const steps = defineQuery('steps');

/** Waits between the patch's two uses, so that it is recorded before and read again after whatever the worker forgot. */
export async function patchesTwice() {
    const seen = [];
    let released = false;
    setHandler(release, () => void (released = true));
    setHandler(steps, () => seen);
    seen.push(patched('twice') ? 'new' : 'old');
    await activities.greet('once');
    await condition(() => released);
    seen.push(patched('twice') ? 'new' : 'old');
    return seen;
}

/** Its activity is completed by the client. */
export async function awaitsCompletion() {
    return await proxyActivities({ startToCloseTimeout: '30s', heartbeatTimeout: '20s', retry: { maximumAttempts: 1 } }).completeElsewhere();
}
