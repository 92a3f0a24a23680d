// Bundles the workflows for every worker of every configuration: node bundle.js
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';

const logger = new DefaultLogger('WARN');
for (const deploy of ['workflows', 'changed']) {
    const { code } = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL(`${deploy}/index.js`, import.meta.url)), logger });
    await writeFile(new URL(`${deploy}.bundle`, import.meta.url), code);
}
