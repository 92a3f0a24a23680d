using System.Net.Sockets;
using Npgsql;
using Temporalio.Exceptions;

namespace Alt.Host;

/// <summary>Distinguishes failures that pass, because a killed part is restarted, from those that stay.</summary>
internal static class TransientErrors
{
    /// <summary>Looks through the layers, since stores and clients wrap their drivers' errors.</summary>
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
