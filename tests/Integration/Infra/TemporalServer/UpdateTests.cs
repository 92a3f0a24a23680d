using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer;
using Stage = Temporalio.Api.Enums.V1.UpdateWorkflowExecutionLifecycleStage;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class UpdateTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task An_accepted_update_is_not_sent_again_with_the_task_that_its_acceptance_returns()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "first");
        await worker.UpdateAsync("put", "second", Stage.Admitted);

        var answered = await worker.AnswerAsync(
            task, Returning([Accept("first")]), Sending("first/accept"));

        Assert.Equal(["second"], Carried(answered.WorkflowTask));
    }

    [Fact]
    public async Task A_rejected_update_is_not_sent_again_with_the_task_that_its_rejection_returns()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "u");
        await worker.SignalAsync("while the task was away");

        var answered = await worker.AnswerAsync(task, Returning([Reject("u")]));

        Assert.Empty(answered.WorkflowTask.Messages);
        Assert.DoesNotContain(EventType.WorkflowExecutionUpdateAccepted, await worker.EventsAsync());
    }

    [Fact]
    public async Task An_acceptance_becomes_an_event_where_its_command_stands()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "first");
        await worker.UpdateAsync("put", "second", Stage.Admitted);
        var answered = await worker.AnswerAsync(task, Returning([]));

        await worker.AnswerAsync(
            answered.WorkflowTask, Returning([Accept("second"), Accept("first")]),
            HandWorker.StartTimer("before", TimeSpan.FromHours(1)), Sending("first/accept"),
            HandWorker.StartTimer("between", TimeSpan.FromHours(1)), Sending("second/accept"));

        var events = (await worker.HistoryAsync()).SkipWhile(e => e.EventType != EventType.TimerStarted);
        Assert.Equal(
            ["before", "first", "between", "second"],
            events.Select(e =>
                e.TimerStartedEventAttributes?.TimerId ?? e.WorkflowExecutionUpdateAcceptedEventAttributes.ProtocolInstanceId));
    }

    [Fact]
    public async Task Updates_are_sent_in_the_order_in_which_they_came()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "first");
        await worker.UpdateAsync("put", "second", Stage.Admitted);
        var answered = await worker.AnswerAsync(task, Returning([.. HandWorker.UpdateAnswers("first")]));
        await worker.UpdateAsync("put", "third", Stage.Admitted);

        answered = await worker.AnswerAsync(answered.WorkflowTask, Returning([]));

        Assert.Equal(["second", "third"], Carried(answered.WorkflowTask));
    }

    public static TheoryData<string, string[]> Contradictions => new()
    {
        { "accepted twice", ["accept", "accept"] },
        { "rejected after its acceptance", ["accept", "reject"] },
        { "completed without acceptance", ["complete"] },
        { "completed twice", ["accept", "complete", "complete"] },
        { "accepted after its rejection", ["reject", "accept"] },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public async Task An_answer_that_contradicts_an_update_fails_the_task_and_a_better_one_is_taken(string wrong, string[] steps)
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "u");
        Message[] messages = [.. steps.Select(Step)];

        var refused = await Assert.ThrowsAsync<RpcException>(() => worker.AnswerAsync(task, Returning(messages)));
        var again = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(again, Returning([.. HandWorker.UpdateAnswers("u")]));

        Assert.True(
            refused.Text().StartsWith(
                "InvalidArgument: BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u",
                StringComparison.Ordinal),
            $"{wrong}: {refused.Text()}");
        Assert.Equal(["u"], Carried(again));
        Assert.Equal(
            [
                EventType.WorkflowTaskFailed, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted,
                EventType.WorkflowTaskCompleted, EventType.WorkflowExecutionUpdateAccepted, EventType.WorkflowExecutionUpdateCompleted
            ],
            (await worker.EventsAsync()).SkipWhile(e => e != EventType.WorkflowTaskFailed));
    }

    [Fact]
    public async Task A_second_acceptance_in_a_later_answer_fails_that_task()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "u");
        await worker.SignalAsync("while the task was away");
        var first = await worker.AnswerAsync(task, Returning([Accept("u")]));

        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            worker.AnswerAsync(first.WorkflowTask, Returning([Accept("u")])));

        Assert.Equal(
            "InvalidArgument: BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u: received Acceptance "
                + "message while in state Accepted",
            refused.Text());
    }

    [Fact]
    public async Task A_command_for_a_message_that_is_not_there_fails_the_task()
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "u");

        var refused = await Assert.ThrowsAsync<RpcException>(() => worker.AnswerAsync(task, Sending("u/accept")));

        Assert.Equal(
            "InvalidArgument: BadUpdateWorkflowExecutionMessage: ProtocolMessageCommand referenced absent message ID u/accept",
            refused.Text());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_update_that_a_restart_forgot_is_accepted_only_with_its_request(bool withRequest)
    {
        var worker = new HandWorker(server.Client);
        var task = await TaskWithUpdateAsync(worker, "u");
        await server.RestartAsync();
        worker = worker.At(server.Client);
        var acceptance = new Acceptance { AcceptedRequest = withRequest ? task.Messages[0].Body.Unpack<Request>() : null };
        Message message = new() { Id = "u/accept", ProtocolInstanceId = "u", Body = Any.Pack(acceptance) };

        var refused = await Record.ExceptionAsync(() => worker.AnswerAsync(task, Returning([message])));

        Assert.Equal(withRequest, refused is null);
        Assert.Equal(
            withRequest ? ["put"] : [],
            (await worker.HistoryAsync())
                .Select(e => e.WorkflowExecutionUpdateAcceptedEventAttributes?.AcceptedRequest.Input.Name).OfType<string>());
    }

    [Fact]
    public async Task Whatever_happens_every_task_carries_the_unanswered_updates_and_no_other()
    {
        const int Seeds = 10, Steps = 60;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var worker = new HandWorker(server.Client);
            await worker.StartAsync();
            List<string> open = [], accepted = [];
            PollWorkflowTaskQueueResponse? task = null;
            for (var step = 0; step < Steps; step++)
            {
                switch (random.Next(6))
                {
                    case 0 or 1 when open.Count < new ServerLimits().OpenUpdates:
                        await worker.UpdateAsync("put", $"u{step}", Stage.Admitted);
                        open.Add($"u{step}");
                        break;
                    case 2:
                        await worker.SignalAsync("s");
                        break;
                    case 3 when task is not null:
                        await worker.FailAsync(task);
                        task = null;
                        break;
                    case var _ when task is null:
                        // So that there is a task.
                        await worker.SignalAsync("wake");
                        task = await worker.WorkflowTaskAsync();
                        Assert.Equal(open, Carried(task));
                        break;
                    default:
                        var answers = Carried(task).ToLookup(_ => random.Next(3));
                        accepted.AddRange(answers[1]);
                        open.RemoveAll(id => answers[1].Contains(id) || answers[2].Contains(id));
                        var answered = await worker.AnswerAsync(
                            task, Returning([.. answers[1].SelectMany(HandWorker.UpdateAnswers), .. answers[2].Select(Reject)]));
                        task = answered.WorkflowTask;
                        Assert.True(
                            task is null || open.SequenceEqual(Carried(task)),
                            $"Seed {seed}, step {step}: [{string.Join(' ', open)}] are unanswered.");
                        break;
                }
            }

            var history = await worker.HistoryAsync();
            HistoryInvariants.Check(history);
            Assert.Equal(
                accepted, history.Select(e => e.WorkflowExecutionUpdateAcceptedEventAttributes?.ProtocolInstanceId).OfType<string>());
        }
    }

    private static IEnumerable<string> Carried(PollWorkflowTaskQueueResponse task) => task.Messages.Select(m => m.ProtocolInstanceId);

    private static async Task<PollWorkflowTaskQueueResponse> TaskWithUpdateAsync(HandWorker worker, string id)
    {
        await worker.StartAsync();
        await worker.UpdateAsync("put", id, Stage.Admitted);
        return await worker.WorkflowTaskAsync();
    }

    private static Action<RespondWorkflowTaskCompletedRequest> Returning(Message[] messages) => request =>
    {
        request.Messages.Add(messages);
        request.ReturnNewWorkflowTask = true;
    };

    private static Command Sending(string messageId) => new()
    {
        CommandType = CommandType.ProtocolMessage,
        ProtocolMessageCommandAttributes = new() { MessageId = messageId },
    };

    private static Message Step(string step) =>
        step == "reject" ? Reject("u") : HandWorker.UpdateAnswers("u").Single(m => m.Id == $"u/{step}");

    private static Message Accept(string id) => HandWorker.UpdateAnswers(id).First();

    private static Message Reject(string id) => new()
    {
        Id = $"{id}/reject",
        ProtocolInstanceId = id,
        Body = Any.Pack(new Rejection { Failure = new Failure { Message = "no" } }),
    };
}
