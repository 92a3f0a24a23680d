using System.Text.Json;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class WhatIfTests(FinishedRun run)
{
    [Theory]
    [InlineData]
    [InlineData("--iteration", "1")]
    [InlineData("--set", "selection.truncated=keep")]
    public async Task The_original_settings_make_the_original_pool(params string[] options)
    {
        var answer = await AskAsync(options);

        Assert.Equal(answer.GetProperty("recorded").ToString(), answer.GetProperty("counterfactual").ToString());
        Assert.All((string[])["relabelled", "added", "removed", "newlySelected", "dropped"], name =>
            Assert.Equal(0, answer.GetProperty(name).GetInt32()));
        if (options.Length == 0)
        {
            Assert.Equal(run.Report.PoolHash, answer.GetProperty("counterfactual").GetProperty("poolHash").GetString());
        }
    }

    [Theory]
    [InlineData("feedback.tags=[Lowest Toxicity, Maximum Toxicity]")]
    [InlineData("selection.quantiles=2")]
    public async Task Fewer_quantiles_give_samples_other_tags_and_keep_all_of_them(string setting)
    {
        var answer = await AskAsync("--set", setting);

        var entries = answer.GetProperty("recorded").GetProperty("entries").GetInt32();
        Assert.Equal(entries, answer.GetProperty("counterfactual").GetProperty("entries").GetInt32());
        Assert.NotEqual(run.Report.PoolHash, answer.GetProperty("counterfactual").GetProperty("poolHash").GetString());
        var tags = answer.GetProperty("tags").EnumerateArray().ToArray();
        Assert.Equal(5, tags.Length);
        Assert.Equal(entries, tags.Sum(t => t.GetProperty("entriesIf").GetInt32()));
        Assert.Equal(0, tags[1].GetProperty("entriesIf").GetInt32());
        // All but those that were in the best and the worst fifth already.
        Assert.Equal(
            entries - tags[0].GetProperty("entries").GetInt32() - tags[4].GetProperty("entries").GetInt32(),
            answer.GetProperty("relabelled").GetInt32());
    }

    [Fact]
    public async Task A_quota_drops_the_samples_above_it()
    {
        var answer = await AskAsync("--set", "selection.perQuantile=3");

        Assert.Equal(15, answer.GetProperty("counterfactual").GetProperty("selected").GetInt32());
        Assert.Equal(answer.GetProperty("recorded").GetProperty("selected").GetInt32() - 15, answer.GetProperty("dropped").GetInt32());
    }

    [Fact]
    public async Task An_empty_pool_at_the_start_removes_what_earlier_iterations_added()
    {
        var answer = await AskAsync("--set", "dataPool.accumulate=false");

        var all = answer.GetProperty("recorded").GetProperty("entries").GetInt32();
        Assert.Equal(
            all - answer.GetProperty("counterfactual").GetProperty("entries").GetInt32(), answer.GetProperty("removed").GetInt32());
        Assert.NotEqual(0, answer.GetProperty("removed").GetInt32());
    }

    [Fact]
    public async Task A_setting_that_needs_new_samples_is_refused_by_name()
    {
        var end = await run.Installation.RunAsync("what-if", FinishedRun.Id, "--set", "sampling.topP=0.5");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("sampling.topP", end.OnlyLine, StringComparison.Ordinal);
        Assert.Contains("./alt fork", end.OnlyLine, StringComparison.Ordinal);
    }

    private async Task<JsonElement> AskAsync(params string[] options)
    {
        var end = await run.Installation.RunAsync(["what-if", FinishedRun.Id, "--json", .. options]);
        Assert.True(end.ExitCode == 0, end.Errors);
        return JsonDocument.Parse(end.Output).RootElement.GetProperty("answer");
    }
}
