// workflows/deployed.js after a change that its running workflows cannot follow: a timer where the history has an activity.
import { condition, defineSignal, setHandler, sleep } from '@temporalio/workflow';

export async function deployed() {
    let proceeded = false;
    setHandler(defineSignal('proceed'), () => void (proceeded = true));
    await sleep(10);
    await condition(() => proceeded);
    return 'changed';
}
