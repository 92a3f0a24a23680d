import { condition, defineSignal, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';

export const continueNow = defineSignal('continueNow');

/** Its worker dies under the activity; another one finishes it. */
export async function losesWorkerInActivity() {
    const { outliveWorker } = proxyActivities({ startToCloseTimeout: '1 minute', heartbeatTimeout: '4s', retry: { initialInterval: '20ms' } });
    return await outliveWorker();
}

/** Its worker dies while it holds the workflow task, in a local activity; another one takes the task over. */
export async function losesWorkerInTask(pid) {
    const { outliveProcess } = proxyLocalActivities({ startToCloseTimeout: '1 minute' });
    return await outliveProcess(pid);
}

/** Its worker dies with the workflow in its cache; the signal finds another one. */
export async function losesWorkerIdle() {
    let continued = false;
    setHandler(continueNow, () => void (continued = true));
    const { greet } = proxyActivities({ startToCloseTimeout: '30s' });
    const greeting = await greet('survivor');
    await condition(() => continued);
    return greeting;
}
