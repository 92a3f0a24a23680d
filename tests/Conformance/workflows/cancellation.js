import { ActivityCancellationType, ApplicationFailure, CancellationScope, condition, isCancellation, proxyActivities, setHandler, defineSignal, sleep } from '@temporalio/workflow';

const beating = { startToCloseTimeout: '1 minute', heartbeatTimeout: '30s', retry: { maximumAttempts: 1 } };
const { greet, failWithCause } = proxyActivities({ startToCloseTimeout: '30s' });

/** Its activity sees the cancellation by its heartbeat; the cleanup runs in a scope that cannot be cancelled. */
export async function cleansUp() {
    const waits = proxyActivities({ ...beating, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED });
    try {
        await waits.heartbeatUntilCancelled();
    } catch (error) {
        if (!isCancellation(error)) {
            throw error;
        }
        await CancellationScope.nonCancellable(async () => {
            await sleep(20);
            await greet('cleanup');
        });
        throw error;
    }
}

/** What the awaiting code sees under each cancellation type. */
export async function cancelsEachWay() {
    const outcome = async (cancellationType, options) => {
        const scope = new CancellationScope();
        const activities = proxyActivities({ ...beating, cancellationType });
        const call = scope.run(() => activities.heartbeatUntilCancelled(options));
        await sleep(200);
        scope.cancel();
        return await call.catch((error) => `${error.name} < ${error.cause?.name}`);
    };
    return await Promise.all([
        outcome(ActivityCancellationType.TRY_CANCEL),
        outcome(ActivityCancellationType.ABANDON),
        outcome(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED),
        outcome(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, { swallow: true }),
    ]);
}

export const go = defineSignal('go');

/** Cancelled while it waits, it returns a value instead. */
export async function refusesCancellation() {
    let went = false;
    setHandler(go, () => void (went = true));
    try {
        await condition(() => went);
    } catch (error) {
        return `cancelled: ${isCancellation(error)}`;
    }
    return 'went';
}

export async function failsWithChain() {
    try {
        await failWithCause();
    } catch (error) {
        throw ApplicationFailure.create({ message: 'the workflow', type: 'Outer', cause: error });
    }
}

/** A plain error fails the workflow task, not the workflow. */
export async function failsItsTask() {
    throw new Error('a defect of the code');
}
