using Alt.Infra.Calls;
using Npgsql;

namespace Alt.Tests.Infra.Calls;

internal static class CallSpends
{
    /// <summary>What a run has spent, by iteration.</summary>
    public static async Task<IReadOnlyList<CallSpend>> ReadAsync(string database, string run)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand($"select {CallTables.Spends} from alt_call_spend where run = $1 order by iteration");
        command.Parameters.Add(new() { Value = run });
        await using var reader = await command.ExecuteReaderAsync();
        var spends = new List<CallSpend>();
        while (await reader.ReadAsync())
        {
            spends.Add(CallStore.SpendOf(reader));
        }

        return spends;
    }
}
