using Npgsql;

namespace Alt.Infra;

/// <summary>A change of the projections, made in the transaction of the event that it follows from.</summary>
internal delegate Task ProjectionChange(NpgsqlConnection connection, CancellationToken token);
