// Workers of the official SDK, in this process and in others.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import * as activities from './activities.js';

/** Logs warnings of the SDK to standard error, since standard output carries the results. */
export function logToStandardError() {
    Runtime.install({
        logger: new DefaultLogger('WARN', ({ level, message, meta }) => console.error(level, message, meta ?? '')),
        telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN' }) } },
    });
}

export function bundle(deploy) {
    return { codePath: fileURLToPath(new URL(`${deploy}.bundle`, import.meta.url)) };
}

/**
 * A worker that polls.
 * @param {string} address host:port of the server
 * @param {string} taskQueue
 * @param {import('@temporalio/worker').WorkerOptions} [options]
 * @returns {Promise<{ stop(): Promise<void> }>}
 */
export async function startWorker(address, taskQueue, options, deploy = 'workflows') {
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
        connection,
        taskQueue,
        activities,
        workflowBundle: bundle(deploy),
        shutdownGraceTime: '100ms',
        maxHeartbeatThrottleInterval: '100ms',
        ...options,
    });
    const running = worker.run();
    // The caller that stops the worker gets its failure; until then the failure must not end the process.
    running.catch(() => {});
    return {
        async stop() {
            worker.shutdown();
            await running;
            await connection.close();
        },
    };
}

/**
 * A worker in a process of its own.
 * @returns {Promise<{ pid: number, kill(): Promise<void> }>}
 */
export async function spawnWorker(address, taskQueue, options) {
    const process = spawn('node', [fileURLToPath(new URL('worker.js', import.meta.url)), address, taskQueue, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(process, 'exit');
    await Promise.race([
        once(createInterface(process.stdout), 'line'),
        ended.then(([code]) => Promise.reject(new Error(`the worker process ended with ${code}`))),
    ]);
    return {
        pid: process.pid,
        async kill() {
            process.kill('SIGKILL');
            await ended;
        },
    };
}
