using Npgsql;

namespace Marten.Sessions;

/// <summary>Sends operations in as few round trips as their results allow.</summary>
internal static class BatchRunner
{
    /// <summary>
    /// Cuts the operations into batches, mostly one. Results are read in order, and a command of the application may have one
    /// or not: so an operation whose result matters does not follow it in the same batch.
    /// </summary>
    public static List<List<Operation>> Batches(IEnumerable<Operation> operations)
    {
        var batches = new List<List<Operation>> { new() };
        foreach (Operation operation in operations)
        {
            if (operation.HasResult && batches[^1].Exists(before => before is SqlCommandOperation))
            {
                batches.Add([]);
            }

            batches[^1].Add(operation);
        }

        return batches;
    }

    /// <summary>Runs one batch; without a transaction on the connection it is one by itself.</summary>
    public static async Task RunAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, List<Operation> operations, CancellationToken token)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        var operationOf = new Dictionary<NpgsqlBatchCommand, Operation>();
        foreach (Operation operation in operations)
        {
            foreach (NpgsqlBatchCommand command in operation.Commands())
            {
                batch.BatchCommands.Add(command);
                operationOf[command] = operation;
            }
        }

        try
        {
            await using NpgsqlDataReader reader = await batch.ExecuteReaderAsync(token);
            await ReadResultsAsync(reader, operations, token);
        }
        catch (PostgresException error)
        {
            IEnumerable<Operation> suspects = error.BatchCommand is NpgsqlBatchCommand failed ? [operationOf[failed]] : operations;
            throw suspects.Select(operation => operation.Translate(error)).FirstOrDefault(meaning => meaning is not null)
                ?? Errors.Translate(error, batch.BatchCommands);
        }
    }

    private static async Task ReadResultsAsync(NpgsqlDataReader reader, List<Operation> operations, CancellationToken token)
    {
        bool first = true;
        foreach (Operation operation in operations.Where(operation => operation.HasResult))
        {
            if (!first)
            {
                await reader.NextResultAsync(token);
            }

            first = false;
            await operation.ReadAsync(reader, token);
        }

        // The commands after the last result may still fail.
        while (await reader.NextResultAsync(token))
        {
        }
    }
}
