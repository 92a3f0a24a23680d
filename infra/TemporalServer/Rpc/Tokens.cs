using Google.Protobuf;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Rpc;

/// <summary>Task tokens: opaque bytes to workers.</summary>
internal static class Tokens
{
    public static ByteString Write(TaskToken token) => token.ToByteString();

    /// <exception cref="RpcError">INVALID_ARGUMENT if the bytes are no token of that kind from this server.</exception>
    public static TaskToken Read(ByteString bytes, TaskKind kind)
    {
        try
        {
            var token = TaskToken.Parser.ParseFrom(bytes);
            if (token.Kind == kind && token.RunId.Length > 0)
            {
                return token;
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Reported below.
        }

        throw RpcError.InvalidArgument("Invalid TaskToken.");
    }

    public static RunAddress Run(this TaskToken token) => new(token.Namespace, token.WorkflowId, token.RunId);
}
