using Alt.Activities;
using Alt.Domain;
using Alt.Tests.Infra.Audits;

namespace Alt.Tests.Activities;

public sealed class WhatIfTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Keeping_duplicates_selects_those_that_were_left_out_as_such()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var inputs = await StageInputs.ReadAsync(run.Ledger, new IterationRef(SmallRun.Id, 2), default);
        var all = SmallRun.Config with { Selection = SmallRun.Config.Selection with { PerQuantile = 0 } };

        var rejected = await new WhatIf(run.Ledger, run.Artifacts).AskAsync(inputs, all, default);
        var kept = await new WhatIf(run.Ledger, run.Artifacts)
            .AskAsync(inputs, all with { Selection = all.Selection with { Duplicates = DuplicateSamples.Keep } }, default);

        var duplicates = rejected.Counterfactual.LeftOut[nameof(LeftOut.Duplicate)];
        Assert.Equal(inputs.State.Selection!.LeftOut[nameof(LeftOut.Duplicate)], duplicates);
        Assert.Equal(rejected.Counterfactual.Selected + duplicates, kept.Counterfactual.Selected);
        Assert.DoesNotContain(nameof(LeftOut.Duplicate), kept.Counterfactual.LeftOut.Keys);
    }
}
