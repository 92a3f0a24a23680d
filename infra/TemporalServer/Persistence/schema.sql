-- Tables of the embedded server. {schema} is replaced by the schema's quoted name.
CREATE SCHEMA IF NOT EXISTS {schema};

CREATE TABLE IF NOT EXISTS {schema}.namespaces (
    name        text PRIMARY KEY,
    description bytea NOT NULL                  -- DescribeNamespaceResponse
);

-- One row per run. state is an ExecutionState; everything below it is read off that state when it is stored.
CREATE TABLE IF NOT EXISTS {schema}.executions (
    run_id      uuid PRIMARY KEY,
    namespace   text NOT NULL,
    workflow_id text NOT NULL,
    version     bigint NOT NULL,                -- number of transitions; a writer must know it
    state       bytea NOT NULL,
    has_work    boolean NOT NULL,               -- offers tasks to workers, or has something to do to another run
    wake_at     timestamptz                     -- the run's next timer, whichever it is
);
CREATE INDEX IF NOT EXISTS executions_has_work ON {schema}.executions (run_id) WHERE has_work;
CREATE INDEX IF NOT EXISTS executions_wake_at ON {schema}.executions (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS executions_workflow ON {schema}.executions (namespace, workflow_id);

CREATE TABLE IF NOT EXISTS {schema}.current_executions (
    namespace   text NOT NULL,
    workflow_id text NOT NULL,
    run_id      uuid NOT NULL,
    PRIMARY KEY (namespace, workflow_id)
);

-- One row per transition that added events.
CREATE TABLE IF NOT EXISTS {schema}.history (
    run_id         uuid NOT NULL,
    first_event_id bigint NOT NULL,
    events         bytea NOT NULL,              -- History
    PRIMARY KEY (run_id, first_event_id)
);

CREATE TABLE IF NOT EXISTS {schema}.visibility (
    run_id            uuid PRIMARY KEY,
    namespace         text NOT NULL,
    workflow_id       text NOT NULL,
    workflow_type     text NOT NULL,
    task_queue        text NOT NULL,
    status            int NOT NULL,
    start_time        timestamptz NOT NULL,
    execution_time    timestamptz NOT NULL,
    close_time        timestamptz,
    history_length    bigint NOT NULL,
    history_bytes     bigint NOT NULL,
    transitions       bigint NOT NULL,
    parent_workflow_id text,
    parent_run_id     text,
    root_workflow_id  text NOT NULL,
    root_run_id       text NOT NULL,
    search_attributes jsonb NOT NULL,
    info              bytea NOT NULL            -- WorkflowExecutionInfo
);
CREATE INDEX IF NOT EXISTS visibility_start ON {schema}.visibility (namespace, start_time DESC, run_id);
CREATE INDEX IF NOT EXISTS visibility_close ON {schema}.visibility (namespace, close_time);
CREATE INDEX IF NOT EXISTS visibility_workflow ON {schema}.visibility (namespace, workflow_id);
CREATE INDEX IF NOT EXISTS visibility_attributes ON {schema}.visibility USING gin (search_attributes jsonb_path_ops);

-- Search attributes that were added to the predefined ones.
CREATE TABLE IF NOT EXISTS {schema}.search_attributes (
    name text PRIMARY KEY,
    type int NOT NULL                           -- IndexedValueType
);
