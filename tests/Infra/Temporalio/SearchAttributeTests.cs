using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Search attributes and memo, from start through changes to lists.</summary>
public sealed class SearchAttributeTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private static readonly SearchAttributeKey<string> Stage = SearchAttributeKey.CreateKeyword("TestStage");
    private static readonly SearchAttributeKey<long> Round = SearchAttributeKey.CreateLong("TestRound");
    private static readonly SearchAttributeKey<IReadOnlyCollection<string>> Labels = SearchAttributeKey.CreateKeywordList("TestLabels");

    [Fact]
    public async Task Attributes_and_memo_can_be_set_changed_and_searched()
    {
        await temporal.Client.OperatorService.AddSearchAttributesAsync(new()
        {
            Namespace = "default",
            SearchAttributes = { [Stage.Name] = IndexedValueType.Keyword, [Round.Name] = IndexedValueType.Int, [Labels.Name] = IndexedValueType.KeywordList },
        });
        await temporal.RunWorkerAsync(options => options.AddWorkflow<Marks>(), async queue =>
        {
            var options = TemporalFixture.NewWorkflow(queue);
            options.TypedSearchAttributes = new SearchAttributeCollection.Builder().Set(Stage, "new").Set(Round, 1).ToSearchAttributeCollection();
            options.Memo = new Dictionary<string, object> { ["owner"] = "Ada", ["draft"] = true };
            var handle = await temporal.Client.StartWorkflowAsync((Marks wf) => wf.RunAsync(), options);
            Assert.Equal("new 1 Ada -> done 2 Bob False", await handle.GetResultAsync());

            var described = await handle.DescribeAsync();
            Assert.Equal("done", described.TypedSearchAttributes.Get(Stage));
            Assert.Equal(["a", "b"], described.TypedSearchAttributes.Get(Labels));
            Assert.Equal("Bob", await described.Memo["owner"].ToValueAsync<string>());
            Assert.False(described.Memo.ContainsKey("draft"));

            var found = new List<string>();
            await foreach (var workflow in temporal.Client.ListWorkflowsAsync($"{Stage.Name} = 'done' AND {Round.Name} > 1"))
            {
                found.Add(workflow.Id);
            }
            Assert.Equal([handle.Id], found);
            Assert.Equal(1, (await temporal.Client.CountWorkflowsAsync($"WorkflowType = '{nameof(Marks)}'")).Count);
        });
    }

    [Workflow]
    public class Marks
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            var before = Show();
            Workflow.UpsertTypedSearchAttributes(Stage.ValueSet("done"), Round.ValueSet(Workflow.TypedSearchAttributes.Get(Round) + 1), Labels.ValueSet(["a", "b"]));
            Workflow.UpsertMemo(MemoUpdate.ValueSet("owner", "Bob"), MemoUpdate.ValueUnset("draft"));
            await Workflow.DelayAsync(1);
            return $"{before} -> {Show()} {Workflow.Memo.ContainsKey("draft")}";
        }

        private static string Show() =>
            $"{Workflow.TypedSearchAttributes.Get(Stage)} {Workflow.TypedSearchAttributes.Get(Round)} {Workflow.PayloadConverter.ToValue<string>(Workflow.Memo["owner"])}";
    }
}
