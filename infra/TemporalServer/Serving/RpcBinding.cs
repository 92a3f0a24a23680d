using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;

namespace TemporalServer.Serving;

/// <summary>
/// Binds a class to methods of Temporal's workflow service; it names this type in its <see cref="BindServiceMethodAttribute"/>.
/// </summary>
internal static class WorkflowServiceBinding<TRpcs>
{
    public static ServiceDescriptor Descriptor => Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor.Services[0];

    public static void Bind(ServiceBinderBase binder, TRpcs? rpcs) => RpcBinding.Bind(binder, Descriptor, typeof(TRpcs));
}

/// <summary>Binds a class to methods of Temporal's operator service, as <see cref="WorkflowServiceBinding{TRpcs}"/> does.</summary>
internal static class OperatorServiceBinding<TRpcs>
{
    public static ServiceDescriptor Descriptor => Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor.Services[0];

    public static void Bind(ServiceBinderBase binder, TRpcs? rpcs) => RpcBinding.Bind(binder, Descriptor, typeof(TRpcs));
}

/// <summary>
/// What generated service base classes would do; the Temporalio package has none. A handler is a public method
/// <c>virtual Task&lt;Response&gt; Name(Request, ServerCallContext)</c> named like an RPC, virtual because Grpc.AspNetCore looks for
/// methods that can override a base class's. A handler that matches no RPC is a mistake and makes the server's start fail.
/// </summary>
internal static class RpcBinding
{
    /// <summary>The services that are served, by their full names.</summary>
    public static IReadOnlySet<string> Services { get; } = new HashSet<string>
    {
        WorkflowServiceBinding<object>.Descriptor.FullName, OperatorServiceBinding<object>.Descriptor.FullName, Health.Descriptor.FullName,
    };

    public static void Bind(ServiceBinderBase binder, ServiceDescriptor service, Type rpcs)
    {
        foreach (var handler in rpcs.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            if (handler.GetParameters() is not [{ ParameterType: var request }, { ParameterType: var context }]
                || context != typeof(ServerCallContext))
            {
                continue;
            }

            if (service.FindMethodByName(handler.Name) is not { } method || method.InputType.ClrType != request
                || handler.ReturnType != typeof(Task<>).MakeGenericType(method.OutputType.ClrType))
            {
                throw new InvalidOperationException($"{rpcs.Name}.{handler.Name} is no method of {service.FullName}.");
            }

            typeof(RpcBinding).GetMethod(nameof(Add), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(request, method.OutputType.ClrType)
                .Invoke(null, [binder, method]);
        }
    }

    // The binders of Grpc.AspNetCore find the handler by its name, so none is given here.
    private static void Add<TRequest, TResponse>(ServiceBinderBase binder, MethodDescriptor method)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        binder.AddMethod(
            new Method<TRequest, TResponse>(
                MethodType.Unary, method.Service.FullName, method.Name, Marshaller<TRequest>(), Marshaller<TResponse>()),
            (UnaryServerMethod<TRequest, TResponse>?)null);

    private static Marshaller<T> Marshaller<T>()
        where T : class, IMessage<T>, new()
    {
        var parser = new MessageParser<T>(() => new T());
        return Marshallers.Create(
            (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context =>
            {
                try
                {
                    return parser.ParseFrom(context.PayloadAsReadOnlySequence());
                }
                catch (InvalidProtocolBufferException e)
                {
                    throw RpcError.InvalidArgument(e.Message);
                }
            });
    }
}
