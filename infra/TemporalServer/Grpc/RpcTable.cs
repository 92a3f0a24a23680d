using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace TemporalServer.Grpc;

/// <summary>One RPC: how to read its request and what answers it.</summary>
internal sealed record RpcMethod(MethodDescriptor Method, Func<IMessage, CallContext, Task<IMessage>> Handler)
{
    public IMessage Parse(byte[] message) => Method.InputType.Parser.ParseFrom(message);
}

/// <summary>
/// All RPCs by path. A handler is a public method <c>Task&lt;Response&gt; NameAsync(Request, CallContext)</c> named like an
/// RPC of one of the services; a method that fits none of them is a mistake and stops the server's start.
/// </summary>
internal sealed class RpcTable
{
    private readonly Dictionary<string, RpcMethod> rpcs = [];
    private readonly HashSet<string> services = [];

    public RpcTable(IEnumerable<ServiceDescriptor> services, IEnumerable<object> handlers)
    {
        var methods = new Dictionary<(string Name, Type Request), MethodDescriptor>();
        foreach (ServiceDescriptor service in services)
        {
            this.services.Add(service.FullName);
            foreach (MethodDescriptor method in service.Methods)
            {
                methods[(method.Name + "Async", method.InputType.ClrType)] = method;
            }
        }

        foreach (object handler in handlers)
        {
            foreach (MethodInfo info in handler.GetType().GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            {
                Type[] parameters = [.. info.GetParameters().Select(p => p.ParameterType)];
                if (parameters.Length != 2 || parameters[1] != typeof(CallContext))
                {
                    continue;
                }

                if (!methods.TryGetValue((info.Name, parameters[0]), out MethodDescriptor? method))
                {
                    throw new InvalidOperationException($"{handler.GetType().Name}.{info.Name} is named like no RPC.");
                }

                rpcs.Add($"/{method.Service.FullName}/{method.Name}", new RpcMethod(method, Bind(handler, info, parameters[0])));
            }
        }
    }

    public IEnumerable<RpcMethod> All => rpcs.Values;

    /// <exception cref="RpcError">UNIMPLEMENTED, in the words by which official clients know it.</exception>
    public RpcMethod Find(string path)
    {
        if (rpcs.TryGetValue(path, out RpcMethod? rpc))
        {
            return rpc;
        }

        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        (string service, string method) = parts.Length == 2 ? (parts[0], parts[1]) : (path, "");
        throw new RpcError(StatusCode.Unimplemented, services.Contains(service)
            ? $"unknown method {method} for service {service}"
            : $"unknown service {service}");
    }

    private static Func<IMessage, CallContext, Task<IMessage>> Bind(object handler, MethodInfo method, Type request)
    {
        Type response = method.ReturnType.GetGenericArguments()[0];
        return (Func<IMessage, CallContext, Task<IMessage>>)typeof(RpcTable)
            .GetMethod(nameof(BindTyped), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(request, response)
            .Invoke(null, [handler, method])!;
    }

    private static Func<IMessage, CallContext, Task<IMessage>> BindTyped<TRequest, TResponse>(object handler, MethodInfo method)
        where TRequest : IMessage
        where TResponse : IMessage
    {
        var call = method.CreateDelegate<Func<TRequest, CallContext, Task<TResponse>>>(handler);
        return async (request, context) => await call((TRequest)request, context);
    }
}
