import { condition, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

const { greet } = proxyActivities({ startToCloseTimeout: '30s' });

export const proceed = defineSignal('proceed');

/** The code as it was when its runs began, and as it is again once the change is taken back. */
export async function deployed() {
    let proceeded = false;
    setHandler(proceed, () => void (proceeded = true));
    const greeting = await greet('before');
    await condition(() => proceeded);
    await sleep(10);
    return greeting;
}
