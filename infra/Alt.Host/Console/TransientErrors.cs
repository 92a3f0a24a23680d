using System.Net.Sockets;
using Npgsql;
using Temporalio.Exceptions;

namespace Alt.Host;

/// <summary>Tells failures that pass, because a part that was killed is started again, from those that stay.</summary>
internal static class TransientErrors
{
    /// <summary>Looks through the layers, since stores and clients wrap what their drivers say.</summary>
    public static bool Include(Exception? e) => e switch
    {
        null => false,
        NpgsqlException { IsTransient: true } or SocketException or HttpRequestException or TimeoutException => true,
        RpcException
        {
            Code: RpcException.StatusCode.Unavailable or RpcException.StatusCode.DeadlineExceeded
            or RpcException.StatusCode.Internal or RpcException.StatusCode.Unknown
        } => true,
        _ => Include(e.InnerException),
    };
}
