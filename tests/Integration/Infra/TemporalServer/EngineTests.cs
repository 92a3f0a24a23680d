using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>The engine alone, driven by random workers, clients and clocks.</summary>
public sealed class EngineTests
{
    private const int Seeds = 60, Steps = 80;

    [Fact]
    public void Whatever_happens_histories_keep_their_order_and_tell_the_state()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var world = new World(seed);
            for (var step = 0; step < Steps && world.Run.IsRunning; step++)
            {
                world.Step();
                HistoryInvariants.Check(world.Run.History);
                world.CheckFold();
            }
        }
    }

    [Fact]
    public void A_run_can_be_reset_after_every_workflow_task()
    {
        for (var seed = 0; seed < Seeds / 4; seed++)
        {
            var world = new World(seed);
            for (var step = 0; step < Steps && world.Run.IsRunning; step++)
            {
                world.Step();
            }

            foreach (var started in world.Run.History.Where(e =>
                e.EventType == EventType.WorkflowTaskStarted && e.EventId < world.Run.History.Count))
            {
                var reset = new Reset(started.EventId + 1, "test", "", new HashSet<ResetReapplyExcludeType>(), []);
                var run = WorkflowRun.StartReset([world.Run], new HashSet<long>(), reset, world.Now);

                HistoryInvariants.Check(run.History);
                Assert.Equal(world.Run.History.Take((int)started.EventId), run.History.Take((int)started.EventId));
                Assert.Equal(
                    world.Run.History.Count(e => e.EventType == EventType.WorkflowExecutionSignaled),
                    run.History.Count(e => e.EventType == EventType.WorkflowExecutionSignaled));
                Assert.Equal(run.State.Activities.Count, run.Tasks.Count(t => t.Kind == TaskKind.Activity));
                Assert.Single(run.Tasks, t => t.Kind == TaskKind.Workflow);
            }
        }
    }

    /// <summary>One run, its time, and a random actor that changes it.</summary>
    private sealed class World
    {
        private readonly Random _random;
        private int _names;

        public World(int seed)
        {
            _random = new Random(seed);
            Run = WorkflowRun.Start(
                new RunStart("default", Guid.NewGuid().ToString(), new()
                {
                    WorkflowId = "w",
                    WorkflowType = new() { Name = "Test" },
                    TaskQueue = new() { Name = "q" },
                }, ""),
                Now);
            Commit();
        }

        public DateTime Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        public WorkflowRun Run { get; private set; }

        public void Step()
        {
            Now += TimeSpan.FromSeconds(_random.NextDouble());
            Run.Begin(Now);
            switch (_random.Next(10))
            {
                case 0:
                    Run.Signal(new() { SignalName = "s", RequestId = $"{_random.Next(20)}" });
                    break;
                case 1:
                    Now += TimeSpan.FromSeconds(_random.Next(30));
                    Run.Begin(Now);
                    break;
                case 2 when _random.Next(10) == 0:
                    Run.RequestCancel("", "test", "");
                    break;
                case 3 or 4 or 5:
                    WorkOnTask();
                    break;
                default:
                    WorkOnActivity();
                    break;
            }

            Run.FireDueTimers();
            Commit();
        }

        /// <summary>The state agrees with history in everything that history records.</summary>
        public void CheckFold()
        {
            if (!Run.IsRunning || Run.State.BufferedEventBytes.Count > 0
                || Run.IsWorkflowTaskTransient || Run.State.Task is not { StartedEventId: > 0 })
            {
                return;
            }

            // A reset behind the last event takes over the whole history.
            var reset = new Reset(Run.History.Count + 1, "", "", new HashSet<ResetReapplyExcludeType>(), []);
            var folded = WorkflowRun.StartReset([Run], new HashSet<long>(), reset, Now).State;
            Assert.Equal(Run.State.Activities.Keys.Order(), folded.Activities.Keys.Order());
            Assert.Equal(Run.State.Timers.Values.OrderBy(t => t.TimerId), folded.Timers.Values.OrderBy(t => t.TimerId));
            Assert.Equal(Run.State.SignalRequestIds, folded.SignalRequestIds);
            Assert.Equal(
                (Run.State.CancelRequested, Run.State.LastStartedEventId, Run.State.SignalCount),
                (folded.CancelRequested, folded.LastStartedEventId, folded.SignalCount));
        }

        private void WorkOnTask()
        {
            if (Run.State.Task is not { } task)
            {
                return;
            }

            if (task.StartedEventId == 0)
            {
                Run.StartWorkflowTask(task.ScheduledEventId, task.Attempt, "", "test");
            }
            else if (_random.Next(5) == 0)
            {
                Run.FailWorkflowTask(WorkflowTaskFailedCause.NonDeterministicError, new Failure(), "test");
            }
            else
            {
                var answer = new RespondWorkflowTaskCompletedRequest { Identity = "test" };
                answer.Commands.Add(Enumerable.Range(0, _random.Next(4)).Select(_ => Command()).OfType<Command>());
                Run.CompleteWorkflowTask(task, answer, UpdateInbox.Empty, _ => true);
            }
        }

        // Some do not fit the state: then the task fails, as intended.
        private Command? Command() => _random.Next(12) switch
        {
            < 4 => new()
            {
                ScheduleActivityTaskCommandAttributes = new()
                {
                    ActivityId = $"a{_names++}",
                    ActivityType = new() { Name = "Work" },
                    StartToCloseTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(_random.Next(1, 60))),
                    HeartbeatTimeout = _random.Next(2) == 0 ? null : Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
                    RetryPolicy = new() { MaximumAttempts = _random.Next(3) },
                },
            },
            < 7 => new()
            {
                StartTimerCommandAttributes = new()
                {
                    TimerId = $"t{_names++}",
                    StartToFireTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(_random.Next(20)))
                },
            },
            7 when Any(Run.State.Timers.Keys) is { } timer => new() { CancelTimerCommandAttributes = new() { TimerId = timer } },
            8 when Any(Run.State.Activities.Keys) is var id and > 0 =>
                new() { RequestCancelActivityTaskCommandAttributes = new() { ScheduledEventId = id } },
            9 => new() { RecordMarkerCommandAttributes = new() { MarkerName = "m" } },
            10 when _random.Next(8) == 0 => new() { CompleteWorkflowExecutionCommandAttributes = new() },
            _ => null,
        };

        private void WorkOnActivity()
        {
            if (Run.IsRunning && Any(Run.State.Activities.Values) is { } activity)
            {
                if (!activity.Started)
                {
                    Run.StartActivity(activity.ScheduledEventId, activity.Attempt, "", "test");
                    return;
                }

                switch (_random.Next(4))
                {
                    case 0:
                        Run.CompleteActivity(activity, null, "test");
                        break;
                    case 1:
                        Run.FailActivity(
                            activity, new Failure { ApplicationFailureInfo = new() { NonRetryable = _random.Next(2) == 0 } }, null, "test");
                        break;
                    case 2:
                        Run.Heartbeat(activity, null, "test");
                        break;
                    case 3 when activity.CancelRequestedEventId > 0:
                        Run.CancelActivity(activity, null, "test");
                        break;
                }
            }
        }

        private T? Any<T>(ICollection<T> choices) => choices.Count == 0 ? default : choices.ElementAt(_random.Next(choices.Count));

        // As after a restart, now and then: only what is stored remains.
        private void Commit()
        {
            Run.Commit();
            if (_random.Next(10) == 0)
            {
                Run = new WorkflowRun(
                    ExecutionState.Parser.ParseFrom(Run.State.ToByteArray()), [.. Run.History.Select(e => e.Clone())], Run.Version);
            }
        }
    }
}
