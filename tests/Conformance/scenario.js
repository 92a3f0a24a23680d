// What every scenario works with.
import { setTimeout as pause } from 'node:timers/promises';
import proto from '@temporalio/proto';

const { EventType } = proto.temporal.api.enums.v1;
/** Milliseconds that a scenario may take; seconds are the rule, but not on a machine that others keep busy. */
export const LIMIT = 300_000;

/** One scenario under one configuration, with workflow ids of its own. */
export class Scenario {
    #count = 0;

    /**
     * @param {string} name
     * @param {{ client: import('@temporalio/client').Client, address: string, queue: string, worker: object, killServer: () => Promise<void> }} stage
     *     worker: options of this configuration's workers; killServer: has the server killed with -9, and waits for the next one
     */
    constructor(name, stage) {
        this.name = name;
        Object.assign(this, stage);
        /** The raw RPCs. */
        this.service = stage.client.workflowService;
        this.workflow = stage.client.workflow;
    }

    id(suffix = ++this.#count) {
        return `${this.name}-${suffix}`.replaceAll(' ', '-');
    }

    start(type, { args = [], ...options } = {}) {
        return this.workflow.start(type, { workflowId: this.id(), taskQueue: this.queue, workflowExecutionTimeout: '6 minutes', args, ...options });
    }

    async run(type, options) {
        return await (await this.start(type, options)).result();
    }
}

/** Waits until the condition returns something true, and returns that. */
export async function until(condition, what) {
    for (const end = Date.now() + LIMIT; Date.now() < end; await pause(30)) {
        const value = await condition();
        if (value) {
            return value;
        }
    }
    throw new Error(`waited in vain for ${what}`);
}

/** The kinds of a history's events, without the prefix that all have. */
export async function eventTypes(handle) {
    return (await eventsOf(handle)).map((e) => e.type);
}

/** A history's events with their kinds by name, checked to have no gap. */
export async function eventsOf(handle) {
    const { events } = await handle.fetchHistory();
    events.forEach((event, index) => {
        if (Number(event.eventId) !== index + 1) {
            throw new Error(`event ${index + 1} of ${handle.workflowId} has the id ${event.eventId}`);
        }
    });
    return events.map((event) => ({ type: EventType[event.eventType].replace('EVENT_TYPE_', ''), event }));
}

/** The failure of a promise that must fail. */
export async function failureOf(promise) {
    let value;
    try {
        value = await promise;
    } catch (error) {
        return error;
    }
    throw new Error(`it was to fail, but gave ${JSON.stringify(value)}`);
}
