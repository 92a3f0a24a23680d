using System.Globalization;
using Xunit.Abstractions;

namespace Alt.Tests.Conformance;

/// <summary>The embedded server as Temporal's own TypeScript client and worker see it. The scenarios are in the folder scenarios.</summary>
public sealed class ConformanceTests(ConformanceRuns runs, ITestOutputHelper output) : IClassFixture<ConformanceRuns>
{
    private static readonly string[] Scenarios =
    [
        "activities", "activityRetries", "activityTimeouts", "asyncCompletion", "localActivities", "patching", "timers",
        "queries", "signals", "signalWithStart", "updates", "updateValidators", "updateWithStart",
        "cancellationTypes", "cancellationWithCleanup", "failingWorkflowTasks", "failureChains", "refusedCancellation",
        "children", "continueAsNew", "describeAndAttributes", "duplicateStarts", "externalWorkflows", "fiftyInParallel", "listAndCount",
        "reset", "terminate",
        "workflowRetriesAndTimeouts",
        "nonDeterminism", "replayer", "serverKilled", "workerKilled",
    ];

    public static TheoryData<string, string> Everything
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var configuration in Configuration.All)
            {
                foreach (var scenario in Scenarios)
                {
                    data.Add(configuration.Name, scenario);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Everything))]
    public void The_official_SDK_gets_what_it_expects(string configuration, string scenario)
    {
        var result = runs.Result(configuration, scenario);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Seconds:F1} s"));
        Assert.True(result.Error is null, result.Error);
    }

    [Fact]
    public void Every_scenario_is_a_test() =>
        Assert.All(Configuration.All, configuration => Assert.Equal(Scenarios.Order(), runs.ScenariosOf(configuration.Name).Order()));
}
