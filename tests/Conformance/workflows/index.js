// What the worker's bundle holds.
export * from './activities.js';
export * from './cancellation.js';
export * from './deployed.js';
export * from './lifecycle.js';
export * from './messages.js';
export * from './upheavals.js';
