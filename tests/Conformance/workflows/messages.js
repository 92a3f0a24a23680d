import { ApplicationFailure, allHandlersFinished, condition, defineQuery, defineSignal, defineUpdate, proxyActivities, setDefaultSignalHandler, setHandler, sleep } from '@temporalio/workflow';

const { greet } = proxyActivities({ startToCloseTimeout: '30s' });

export const add = defineSignal('add');
export const finish = defineSignal('finish');
export const items = defineQuery('items');
export const itemAt = defineQuery('itemAt');
export const put = defineUpdate('put');
export const slowly = defineUpdate('slowly');
export const failing = defineUpdate('failing');

/** Collects what signals and updates bring, until it is told to finish. */
export async function collects(first = []) {
    const basket = [...first];
    let finished = false;
    setHandler(add, (...values) => void basket.push(...values));
    setHandler(finish, () => void (finished = true));
    setHandler(items, () => basket);
    setHandler(itemAt, (index) => {
        if (index >= basket.length) {
            throw new RangeError(`there is no item ${index}`);
        }
        return basket[index];
    });
    setHandler(put, (value) => basket.push(value), {
        validator: (value) => {
            if (typeof value !== 'string') {
                throw ApplicationFailure.create({ message: `${value} is no string`, type: 'Invalid' });
            }
        },
    });
    setHandler(slowly, async (name) => {
        await sleep(50);
        const greeting = await greet(name);
        basket.push(greeting);
        return greeting;
    });
    setHandler(failing, async () => {
        await sleep(10);
        throw ApplicationFailure.create({ message: 'accepted, then failed', type: 'Late', details: [basket.length] });
    });
    await condition(() => finished);
    await condition(allHandlersFinished);
    return basket;
}

/** Has handlers for signals of unknown names. */
export async function collectsUnknown(expected) {
    const seen = [];
    setDefaultSignalHandler((name, ...values) => void seen.push([name, ...values]));
    await condition(() => seen.length === expected);
    return seen;
}
